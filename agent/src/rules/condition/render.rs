//! Expr -> text: the same condition in one spelling.

use std::fmt::{Display, Formatter, Result};

use super::{
    ast::{Argument, Expr, FieldRef, Literal, Operand, Right, Transform},
    cursor::is_bare,
    quoted::quote,
};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::And(parts) => separated(f, "(", parts, " and ", ")"),
            Self::Or(parts) => separated(f, "(", parts, " or ", ")"),
            Self::Not(part) => write!(f, "not {part}"),
            Self::Macro { name, .. } => f.write_str(name),
            Self::Exists(operand) => write!(f, "{operand} exists"),
            Self::Compare(compare) => write!(f, "{} {} {}", compare.left, compare.op.word(), compare.right),
        }
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}

impl Display for FieldRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.name)?;
        index(f, self.argument.as_deref())
    }
}

impl Display for Transform {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.function.word())?;
        separated(f, "(", &self.arguments, ", ", ")")?;
        index(f, self.index.as_deref())
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(text) => f.write_str(&quote(&text.bytes)),
            Self::Number(number) => f.write_str(number),
            Self::List(list) => separated(f, "(", list, ", ", ")"),
            Self::Operand(operand) => operand.fmt(f),
        }
    }
}

impl Display for Right {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::List(values) => separated(f, "(", values, ", ", ")"),
            Self::Each(modifier, values) => {
                f.write_str(modifier.word())?;
                separated(f, " (", values, ", ", ")")
            }
            Self::Field(field) => write!(f, "val({field})"),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if is_bare(&self.bytes) => f.write_str(text),
            _ => f.write_str(&quote(&self.bytes)),
        }
    }
}

fn index(f: &mut Formatter<'_>, index: Option<&[u8]>) -> Result {
    match index {
        None => Ok(()),
        Some(index) if index.iter().all(u8::is_ascii_alphanumeric) && !index.is_empty() => {
            write!(f, "[{}]", String::from_utf8_lossy(index))
        }
        Some(index) => write!(f, "[{}]", quote(index)),
    }
}

fn separated<T: Display>(
    f: &mut Formatter<'_>,
    open: &str,
    parts: &[T],
    separator: &str,
    close: &str,
) -> Result {
    f.write_str(open)?;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{part}")?;
    }
    f.write_str(close)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{
        ast::{Compare, Function, Modifier, Op},
        parse,
    };
    use super::*;
    use crate::rules::text::{Place, Text};

    #[test]
    fn each_condition_has_one_spelling() {
        for (written, spelling) in [
            ("not proc.name=nginx", "not proc.name = nginx"),
            ("proc.name in(nginx,\"some proc\")", "proc.name in (nginx, \"some proc\")"),
            ("a or b and c", "(a or (b and c))"),
            ("not not (a)", "a"),
            ("proc.aname[\"2\"] exists", "proc.aname[2] exists"),
            ("proc.name = 'say \"so\"'", r#"proc.name = "say \"so\"""#),
        ] {
            let expr = parse(&Text::whole(written)).map(|expr| expr.to_string());
            assert_eq!(expr.as_deref(), Ok(spelling));
        }
    }

    fn bytes() -> impl Strategy<Value = Box<[u8]>> {
        prop_oneof![
            "[a-z/*.]{1,8}".prop_map(|text| text.into_bytes().into()),
            prop::collection::vec(any::<u8>(), 0..6).prop_map(Into::into),
            prop::sample::select(vec!["oneof", "and", "val", "\\", "not", "b64"])
                .prop_map(|text| text.as_bytes().into()),
        ]
    }

    fn literal() -> impl Strategy<Value = Literal> {
        bytes().prop_map(|bytes| Literal { bytes, at: Place::default() })
    }

    fn literals() -> impl Strategy<Value = Vec<Literal>> {
        prop::collection::vec(literal(), 0..4)
    }

    fn field() -> impl Strategy<Value = FieldRef> {
        ("[a-z]{1,4}\\.[a-z_]{0,1}[a-z]{1,3}", prop::option::of(bytes()))
            .prop_filter("a name begins with a letter", |(name, _)| !name.contains("._"))
            .prop_map(|(name, argument)| FieldRef { name: name.into(), argument, at: Place::default() })
    }

    fn operand() -> impl Strategy<Value = Operand> {
        field().prop_map(Operand::Field).prop_recursive(2, 4, 2, |inner| {
            let argument = prop_oneof![
                literal().prop_map(Argument::Text),
                inner.clone().prop_map(Argument::Operand),
                prop::collection::vec(inner.prop_map(Argument::Operand), 0..2).prop_map(Argument::List),
                Just(Argument::Number("-12.5e+3".into())),
            ];
            (
                prop::sample::select(Function::ALL),
                prop::collection::vec(argument, 1..3),
                prop::option::of(bytes()),
            )
                .prop_map(|(function, arguments, index)| {
                    Operand::Transform(Transform { function, arguments, index, at: Place::default() })
                })
        })
    }

    fn right(op: Op) -> BoxedStrategy<Right> {
        let number = || Right::Value(Literal { bytes: (*b"0x1f").into(), at: Place::default() });
        match op {
            op if op.takes_list() => literals().prop_map(Right::List).boxed(),
            op if op.takes_number() => Just(number()).boxed(),
            _ => prop_oneof![
                literal().prop_map(Right::Value),
                (prop::sample::select(Modifier::ALL), literals())
                    .prop_map(|(m, values)| Right::Each(m, values)),
                field().prop_map(Right::Field),
            ]
            .boxed(),
        }
    }

    fn expr() -> impl Strategy<Value = Expr> {
        let compare = (operand(), prop::sample::select(Op::ALL)).prop_flat_map(|(left, op)| {
            right(op).prop_map(move |right| {
                let left = left.clone();
                Expr::Compare(Box::new(Compare { left, op, op_at: Place::default(), right }))
            })
        });
        let leaf = prop_oneof![
            compare,
            operand().prop_map(Expr::Exists),
            "[a-z]{4,8}".prop_map(|name| Expr::Macro { name: name.into(), at: Place::default() }),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
                inner
                    .prop_filter("not not is nothing", |inner| !matches!(inner, Expr::Not(_)))
                    .prop_map(|inner| Expr::Not(Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_condition_is_read_back_from_its_text(expr in expr()) {
            let text = expr.to_string();
            let read = parse(&Text::nowhere(&text));
            prop_assert_eq!(read, Ok(expr), "{}", text);
        }
    }
}

//! From a condition's tree to a filter.

use super::{
    error::{CompileError, Fault},
    filter::{Comparison, Filter},
    glob::Glob,
    path_set::PathSet,
    test::{NumberTest, Test, TextTest},
};
use crate::{
    event::EventType,
    rules::{
        condition::{Compare, Expr, FieldRef, Literal, Op, Operand, Right, parse_operand},
        fields::{Kind, Resolved, resolve},
        names::nearest,
        text::{Place, Text},
    },
};

/// Longest text that is compared, in bytes: that of upstream.
const MAX_TEXT: usize = 255;
/// Memory of one regular expression, in bytes. Ten times what a long one needs.
const MAX_REGEX: usize = 1 << 20;
/// Types of the language that this agent has no events of; a comparison with one is never true.
const NO_EVENTS: &[&str] = &[
    "asyncevent",
    "container",
    "drop",
    "infra",
    "k8s",
    "mesos",
    "notification",
    "page_fault",
    "pluginevent",
    "signaldeliver",
    "switch",
    "syscall",
    "umount_old",
];

/// What compiling gives.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// Present if there is no error.
    pub(crate) filter: Option<Filter>,
    pub(crate) errors: Vec<CompileError>,
    /// Fields that no event has a value for yet.
    pub(crate) absent_fields: Vec<(Place, &'static str)>,
    /// `evt.dir` is compared, which says nothing any more.
    pub(crate) direction_at: Option<Place>,
    /// Values that may be meant to be something else, and what.
    pub(crate) misused: Vec<(Place, String)>,
    /// `<NA>` is compared, which is not the same as an absent value.
    pub(crate) no_value_at: Option<Place>,
}

/// Compiles a condition whose macros have been replaced.
pub(crate) fn compile(expr: &Expr) -> Compiled {
    let mut compiler = Compiler { compiled: Compiled::default() };
    let filter = compiler.expr(expr);
    let mut compiled = compiler.compiled;
    compiled.filter = filter.filter(|_| compiled.errors.is_empty());
    compiled
}

struct Compiler {
    compiled: Compiled,
}

impl Compiler {
    /// `None` where there was an error, which has been noted. The rest is compiled all the same, for its errors.
    fn expr(&mut self, expr: &Expr) -> Option<Filter> {
        match expr {
            Expr::And(parts) => self.chain(parts).map(Filter::And),
            Expr::Or(parts) => self.chain(parts).map(Filter::Or),
            Expr::Not(part) => self.expr(part).map(|part| Filter::Not(Box::new(part))),
            Expr::Macro { at, .. } => self.fail(*at, Fault::Unsupported { what: "a macro here is" }),
            Expr::Exists(operand) => {
                let field = self.operand(operand)?;
                Some(if field.is_nowhere() { Filter::Never } else { Filter::Exists(field) })
            }
            Expr::Compare(compare) => self.compare(compare),
        }
    }

    fn chain(&mut self, parts: &[Expr]) -> Option<Box<[Filter]>> {
        let parts: Vec<_> = parts.iter().map(|part| self.expr(part)).collect();
        parts.into_iter().collect()
    }

    fn fail<T>(&mut self, at: Place, fault: impl Into<Fault>) -> Option<T> {
        self.compiled.errors.push(CompileError { at, fault: fault.into() });
        None
    }

    fn operand(&mut self, operand: &Operand) -> Option<Resolved> {
        match operand {
            Operand::Field(field) => self.field(field),
            Operand::Transform(transform) => {
                self.fail(transform.at, Fault::Unsupported { what: "transformers such as `tolower(..)` are" })
            }
        }
    }

    fn field(&mut self, field: &FieldRef) -> Option<Resolved> {
        let resolved = match resolve(&field.name, field.argument.as_deref()) {
            Ok(resolved) => resolved,
            Err(error) => return self.fail(field.at, error),
        };
        if resolved.is_nowhere() {
            self.compiled.absent_fields.push((field.at, resolved.field.name));
        }
        if resolved.field.name == "evt.dir" {
            self.compiled.direction_at = Some(field.at);
        }
        Some(resolved)
    }

    fn compare(&mut self, compare: &Compare) -> Option<Filter> {
        let field = self.operand(&compare.left)?;
        let op = compare.op;
        let modified = matches!(compare.right, Right::Each(..));
        if !goes_with(op, field.kind()) || modified && !takes_modifier(op, field.kind()) {
            let (field, kind) = (field.field.name, field.kind().name());
            return self.fail(compare.op_at, Fault::Operator { op: op.word(), field, kind });
        }
        let test = match &compare.right {
            Right::Value(value) => self.test(&field, op, std::slice::from_ref(value)),
            Right::List(values) => self.test(&field, op, values),
            Right::Each(modifier, values) => {
                let tests: Vec<_> =
                    values.iter().map(|value| self.test(&field, op, std::slice::from_ref(value))).collect();
                let tests: Option<Box<[Test]>> = tests.into_iter().collect();
                tests.map(|tests| Test::Each(*modifier, tests))
            }
            Right::Field(other) => self.fail(other.at, Fault::Unsupported { what: "`val(..)` is" }),
            Right::Transform(other) => {
                self.fail(other.at, Fault::Unsupported { what: "transformers such as `tolower(..)` are" })
            }
        };
        // Its values are checked even where no event has a value for the field.
        test.map(|test| match field.is_nowhere() {
            true => Filter::Never,
            false => Filter::Test(Box::new(Comparison { field, test })),
        })
    }

    fn test(&mut self, field: &Resolved, op: Op, values: &[Literal]) -> Option<Test> {
        for value in values.iter().filter(|value| *value.bytes == *b"<NA>") {
            self.compiled.no_value_at = Some(value.at);
        }
        match field.kind() {
            Kind::Number { min, max } => self.number_test(field, (min, max), op, values),
            Kind::Bool => self.bool_test(field, op, values),
            Kind::Text => self.text_test(field, op, values),
            Kind::Bytes if matches!(op, Op::BContains | Op::BStartsWith) => self.hex_test(values),
            // No event has a value of these types yet: any test will do.
            Kind::Bytes | Kind::Address | Kind::Net => Some(Test::Bool([false; 2])),
        }
    }

    fn number_test(
        &mut self,
        field: &Resolved,
        (min, max): (i128, i128),
        op: Op,
        values: &[Literal],
    ) -> Option<Test> {
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            match number(&value.bytes).filter(|number| (min..=max).contains(number)) {
                Some(number) => numbers.push(number),
                None => {
                    let text = text_of(value);
                    self.fail(value.at, Fault::Number { value: text, field: field.field.name, min, max })?;
                }
            }
        }
        Some(Test::Number(match (op, numbers.as_slice()) {
            (Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge, [number]) => {
                NumberTest::Compare(op, *number)
            }
            _ => {
                numbers.sort_unstable();
                NumberTest::OneOf(numbers.into())
            }
        }))
    }

    /// Bytes are compared with hexadecimal digits.
    fn hex_test(&mut self, values: &[Literal]) -> Option<Test> {
        for value in values {
            let digits = &value.bytes;
            if digits.len() % 2 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
                return self.fail(value.at, Fault::Hex { value: text_of(value) });
            }
        }
        Some(Test::Bool([false; 2]))
    }

    fn bool_test(&mut self, field: &Resolved, op: Op, values: &[Literal]) -> Option<Test> {
        let mut passes = [false; 2];
        for value in values {
            match &*value.bytes {
                b"true" => passes[1] = true,
                b"false" => passes[0] = true,
                _ => self.fail(value.at, Fault::Bool { value: text_of(value), field: field.field.name })?,
            }
        }
        Some(Test::Bool(if op == Op::Ne { passes.map(|pass| !pass) } else { passes }))
    }

    fn text_test(&mut self, field: &Resolved, op: Op, values: &[Literal]) -> Option<Test> {
        for value in values {
            self.check_text(field, op, value)?;
        }
        if op.takes_list() {
            return Some(Test::Text(match op {
                Op::PMatch => TextTest::Below(PathSet::new(values.iter().map(|value| &*value.bytes))),
                _ => TextTest::OneOf(values.iter().map(|value| value.bytes.clone()).collect()),
            }));
        }
        let value = values.first()?;
        let text = value.bytes.clone();
        Some(Test::Text(match op {
            Op::Eq => TextTest::Equals(text),
            Op::Ne => TextTest::Differs(text),
            Op::Contains => TextTest::Contains(Box::new(memchr::memmem::Finder::new(&text).into_owned())),
            Op::IContains => TextTest::ContainsIgnoringCase(text),
            Op::StartsWith => TextTest::StartsWith(text),
            Op::EndsWith => TextTest::EndsWith(text),
            Op::Glob | Op::IGlob => TextTest::Glob(Glob::new(&text, op == Op::IGlob)),
            Op::Regex => match regex(&text) {
                Ok(regex) => TextTest::Regex(Box::new(regex)),
                Err(error) => return self.fail(value.at, error),
            },
            op => TextTest::Ordered(op, text),
        }))
    }

    fn check_text(&mut self, field: &Resolved, op: Op, value: &Literal) -> Option<()> {
        if value.bytes.len() > MAX_TEXT {
            return self.fail(value.at, Fault::TooLong { length: value.bytes.len(), max: MAX_TEXT });
        }
        if value.bytes.contains(&0) {
            return self.fail(value.at, Fault::Nul);
        }
        self.warn_of_field(value);
        let names_type = matches!(field.field.name, "evt.type" | "syscall.type")
            && matches!(op, Op::Eq | Op::Ne | Op::In | Op::Intersects);
        let name = text_of(value);
        if names_type && EventType::from_name(&name).is_none() && !NO_EVENTS.contains(&&*name) {
            let nearest = nearest(&name, EventType::all().map(EventType::name));
            return self.fail(value.at, Fault::EventType { name, nearest });
        }
        Some(())
    }
}

impl Compiler {
    /// A value that is spelt as a field is compared as text; its author may have meant the field's value.
    fn warn_of_field(&mut self, value: &Literal) {
        let text = text_of(value);
        let what = match parse_operand(&Text::whole(&text)) {
            Ok(Operand::Field(field)) if resolve(&field.name, field.argument.as_deref()).is_ok() => "field",
            Ok(Operand::Transform(_)) => "field transformer",
            _ => return,
        };
        self.compiled
            .misused
            .push((value.at, format!("'{text}' may be a valid {what} misused as a const string value")));
    }
}

/// Whether the operator goes with fields of this type.
fn goes_with(op: Op, kind: Kind) -> bool {
    use Op::{
        BContains, BStartsWith, Contains, EndsWith, Eq, Ge, Gt, In, Intersects, Le, Lt, Ne, StartsWith,
    };
    match kind {
        Kind::Text => !matches!(op, BContains | BStartsWith),
        Kind::Number { .. } => matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In | Intersects),
        Kind::Bytes => {
            matches!(
                op,
                Eq | Ne | Contains | StartsWith | EndsWith | BContains | BStartsWith | In | Intersects
            )
        }
        Kind::Bool | Kind::Address | Kind::Net => matches!(op, Eq | Ne | In | Intersects),
    }
}

fn takes_modifier(op: Op, kind: Kind) -> bool {
    goes_with(op, kind) && !op.takes_list() && !op.takes_number()
}

/// A whole number, decimal or hexadecimal.
fn number(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            i128::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// The whole text has to match.
fn regex(pattern: &[u8]) -> Result<regex::bytes::Regex, regex::Error> {
    let pattern = format!(r"\A(?:{})\z", String::from_utf8_lossy(pattern));
    regex::bytes::RegexBuilder::new(&pattern).size_limit(MAX_REGEX).build()
}

fn text_of(value: &Literal) -> Box<str> {
    String::from_utf8_lossy(&value.bytes).into()
}

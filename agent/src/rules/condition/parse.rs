//! The grammar, by recursive descent.
//!
//! ```text
//! or    := and ('or' and)*         and := not ('and' not)*         not := 'not'* check
//! check := '(' or ')' | operand cond | IDENT
//! cond  := 'exists' | NUMOP number | TEXTOP [MODIFIER list | value] | LISTOP list
//! ```
//! A word operator needs a blank after it; `and`, `or`, `not` a blank or a parenthesis. Nothing is reserved in a value.

use super::{
    ast::{Compare, Expr, FieldRef, Modifier, Op, Operand, Right},
    cursor::{Cursor, is_blank},
    error::{Problem, SyntaxError},
};
use crate::rules::text::Text;

/// How deep parentheses may be nested. Keeps the stack within a thread's two mebibytes; real rules stay below ten.
pub(crate) const MAX_DEPTH: usize = 250;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// Parses a whole condition.
pub(crate) fn parse(text: &Text) -> Parsed<Expr> {
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0 };
    let expr = parser.or()?;
    match parser.cursor.peek() {
        None => Ok(expr),
        Some(b'(') => Err(parser.cursor.expected("`and`, `or` or the end: no function has this name")),
        Some(_) => Err(parser.cursor.expected("`and`, `or` or the end of the condition")),
    }
}

/// Parses a text that is one operand, such as the field of an exception.
pub(crate) fn parse_operand(text: &Text) -> Parsed<Operand> {
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0 };
    match parser.operand()? {
        Some(operand) if parser.cursor.peek().is_none() => Ok(operand),
        _ => Err(parser.cursor.expected("a field")),
    }
}

/// Where the parser stands, and how deep.
pub(super) struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Parsed<Expr> {
        self.chain("or", Expr::Or, Self::and)
    }

    fn and(&mut self) -> Parsed<Expr> {
        self.chain("and", Expr::And, Self::not)
    }

    /// `part (word part)*`
    fn chain(
        &mut self,
        word: &str,
        join: fn(Vec<Expr>) -> Expr,
        part: fn(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Expr> {
        let first = part(self)?;
        self.cursor.blanks();
        if !self.cursor.eat_word(word, ends_keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        loop {
            parts.push(part(self)?);
            self.cursor.blanks();
            if !self.cursor.eat_word(word, ends_keyword) {
                return Ok(join(parts));
            }
        }
    }

    fn not(&mut self) -> Parsed<Expr> {
        let mut negate = false;
        loop {
            self.cursor.blanks();
            if !self.cursor.eat_word("not", ends_keyword) {
                break;
            }
            negate = !negate;
        }
        let check = self.check()?;
        Ok(if negate { Expr::Not(Box::new(check)) } else { check })
    }

    fn check(&mut self) -> Parsed<Expr> {
        if self.cursor.peek() == Some(b'(') {
            return self.parenthesis();
        }
        if let Some(left) = self.operand()? {
            return self.condition(left);
        }
        let (start, at) = (self.cursor.offset(), self.cursor.place());
        match self.cursor.identifier() {
            "" | "and" | "or" | "not" => {
                self.cursor.go_back(start);
                Err(self.cursor.expected("a field, a macro, `not` or `(`"))
            }
            name => Ok(Expr::Macro { name: name.into(), at }),
        }
    }

    fn parenthesis(&mut self) -> Parsed<Expr> {
        self.deeper(|parser| {
            parser.cursor.eat("(");
            let expr = parser.or()?;
            if parser.cursor.eat(")") { Ok(expr) } else { Err(parser.cursor.expected("`and`, `or` or `)`")) }
        })
    }

    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.cursor.error(Problem::TooDeep { limit: MAX_DEPTH }));
        }
        self.depth += 1;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// What comes after an operand.
    fn condition(&mut self, left: Operand) -> Parsed<Expr> {
        self.cursor.blanks();
        if self.cursor.eat("exists") {
            return Ok(Expr::Exists(left));
        }
        let op_at = self.cursor.place();
        let Some(op) = self.operator() else {
            return Err(self
                .cursor
                .expected("an operator (`=`, `!=`, `<`, `in`, `contains`, `exists`, ...)"));
        };
        let blank = self.cursor.blanks();
        let right = match self.right_operand()? {
            Some(right) => right,
            None if op.takes_list() => Right::List(self.list()?),
            None if op.takes_number() => Right::Value(self.number()?),
            None => match if blank { self.modifier() } else { None } {
                Some(modifier) => Right::Each(modifier, self.list()?),
                None => Right::Value(self.value()?),
            },
        };
        Ok(Expr::Compare(Box::new(Compare { left, op, op_at, right })))
    }

    fn operator(&mut self) -> Option<Op> {
        if self.cursor.eat("==") {
            return Some(Op::Eq);
        }
        // Each word has its own ending, so that none can be taken for the beginning of another.
        Op::ALL.iter().copied().find(|op| {
            self.cursor.eat_word(op.word(), |next| match next {
                _ if !op.word().starts_with(|first: char| first.is_ascii_alphabetic()) => true,
                Some(b'(') => op.takes_list(),
                next => next.is_some_and(is_blank),
            })
        })
    }

    /// A modifier is one only where a list comes after it: `proc.name = oneof` asks for a process of that name.
    fn modifier(&mut self) -> Option<Modifier> {
        let start = self.cursor.offset();
        let modifier = Modifier::ALL
            .iter()
            .copied()
            .find(|modifier| self.cursor.eat_word(modifier.word(), |next| next.is_some_and(is_blank)))?;
        self.cursor.blanks();
        let list = self.cursor.offset();
        if self.cursor.peek() == Some(b'(') || !matches!(self.cursor.identifier(), "" | "and" | "or" | "not")
        {
            self.cursor.go_back(list);
            return Some(modifier);
        }
        self.cursor.go_back(start);
        None
    }

    /// `val(field)` or a transformer, on the right of an operator.
    fn right_operand(&mut self) -> Parsed<Option<Right>> {
        if !self.cursor.eat("val(") {
            return Ok(self.transform()?.map(Right::Transform));
        }
        self.cursor.blanks();
        let Some(mut field) = self.field()? else {
            return Err(self.cursor.expected("a field"));
        };
        self.close()?;
        if field.argument.is_none() {
            field.argument = self.index()?;
        }
        Ok(Some(Right::Field(field)))
    }

    pub(super) fn operand(&mut self) -> Parsed<Option<Operand>> {
        Ok(match self.field()? {
            Some(field) => Some(Operand::Field(field)),
            None => self.transform()?.map(Operand::Transform),
        })
    }

    /// A field: a name with a dot in it.
    fn field(&mut self) -> Parsed<Option<FieldRef>> {
        let (start, at, rest) = (self.cursor.offset(), self.cursor.place(), self.cursor.rest());
        let mut dots = 0;
        while !self.cursor.identifier().is_empty() {
            let end = self.cursor.offset();
            if !self.cursor.eat(".") || !self.cursor.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
                self.cursor.go_back(end);
                break;
            }
            dots += 1;
        }
        let name = &rest[..self.cursor.offset() - start];
        if dots == 0 {
            self.cursor.go_back(start);
            return Ok(None);
        }
        Ok(Some(FieldRef { name: name.into(), argument: self.index()?, at }))
    }
}

/// What may come right after `and`, `or` and `not`.
fn ends_keyword(next: Option<u8>) -> bool {
    next.is_some_and(|byte| is_blank(byte) || byte == b'(')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn conditions_of_the_grammar_are_read() {
        for condition in [
            "a",
            "(a)and(b) or not(c)",
            "a.a exists and b",
            "a and notb and not not_macro",
            "proc.name in (sh, 'two words', b.c)",
            "proc.name in()",
            "fd.name=*.log",
            "proc.aname[2] = sh or evt.arg[\"x y\"] contains z",
            "test.num > -0.12e+10 and test.num <= 0x12",
            "test.str = 0a!@#456:/\\.;!$%^&*[]{}|",
            "proc.name = oneof and proc.name = anyof (a, b) and proc.name = allof names",
            "tolower(toupper( proc.name )) = val(proc.pname)",
            "join(\"-\", (fd.name, 12, \"x\")) = b64(proc.name)",
            "getopt(proc.args, \"t:\")[t] != ''",
            "some.field = b64 and(some_macro)",
        ] {
            for variant in [condition.to_owned(), condition.replace(' ', "\n"), format!(" {condition}\t")] {
                if let Err(error) = parse(&Text::whole(&variant)) {
                    panic!("{variant:?}: {error} at {}", error.offset);
                }
            }
        }
    }

    #[test]
    fn an_error_says_where_it_is_and_what_was_expected() {
        check_error(
            "",
            0,
            expect!["expected a field, a macro, `not` or `(`, found the end of the condition"],
        );
        check_error("a not b", 2, expect!["expected `and`, `or` or the end of the condition, found `not`"]);
        check_error("a or b or", 7, expect!["expected `and`, `or` or the end of the condition, found `or`"]);
        check_error("a and or b", 6, expect!["expected a field, a macro, `not` or `(`, found `or`"]);
        check_error("(a or b", 7, expect!["expected `and`, `or` or `)`, found the end of the condition"]);
        check_error(
            "proc.name contians x",
            10,
            expect![
                "expected an operator (`=`, `!=`, `<`, `in`, `contains`, `exists`, ...), found `contians`"
            ],
        );
        check_error(
            "proc.name containsx",
            10,
            expect![
                "expected an operator (`=`, `!=`, `<`, `in`, `contains`, `exists`, ...), found `containsx`"
            ],
        );
        check_error("fd.num >= x", 10, expect!["expected a number, decimal or hexadecimal, found `x`"]);
        check_error("proc.name in (a b)", 16, expect!["expected `,` or `)`, found `b`"]);
        check_error(
            "proc.name in (a,)",
            16,
            expect!["expected a value (one with blanks or any of `( ) , =` needs quotes), found `)`"],
        );
        check_error("proc.name = 'x", 12, expect!["this string has no closing '"]);
        check_error(
            r"proc.name = 'x\q'",
            14,
            expect![[r"`\q` is not an escape of a string in '; use one of \b \f \n \r \t \\ \/ \xHH \'"]],
        );
        check_error("proc.aname[ = x", 11, expect!["expected an argument, quoted or not, found ` `"]);
        check_error(
            "b64 (fd.name) exists",
            4,
            expect!["expected `and`, `or` or the end: no function has this name, found `(`"],
        );
    }

    fn check_error(condition: &str, offset: usize, message: Expect) {
        match parse(&Text::whole(condition)) {
            Ok(expr) => panic!("{condition:?} was read as {expr:?}"),
            Err(error) => {
                message.assert_eq(&error.to_string());
                assert_eq!(error.offset, offset, "{condition:?}");
            }
        }
    }

    #[test]
    fn nesting_is_bounded_and_within_the_bound_does_not_exhaust_the_stack() {
        let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&Text::whole(&nested(MAX_DEPTH))).is_ok());
        for depth in [MAX_DEPTH + 1, 100_000] {
            let error = parse(&Text::whole(&nested(depth))).map_err(|error| error.problem);
            assert_eq!(error, Err(Problem::TooDeep { limit: MAX_DEPTH }));
        }
        assert!(parse(&Text::whole(&"tolower(".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&Text::whole(&text));
        }

        #[test]
        fn no_text_of_the_languages_own_words_panics(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "and", "or", "not", "(", ")", " ", "proc.name", "=", "in", "'", "\"", "\\x", "[", "]", ",", "a",
                    "oneof", "val(", "b64(", "exists", "0x", "-1", "é",
                ]),
                0..40,
            )
        ) {
            let _ = parse(&Text::whole(&words.concat()));
        }
    }
}

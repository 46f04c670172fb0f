//! The grammar, by recursive descent.
//!
//! ```text
//! or    := and ('or' and)*         and := not ('and' not)*         not := 'not'* check
//! check := '(' or ')' | operand cond | IDENT
//! cond  := 'exists' | NUMOP number | TEXTOP [MODIFIER list | value] | LISTOP list
//! ```
//! A word operator needs a blank after it; `and`, `or`, `not` a blank or a parenthesis. Nothing is reserved in a value.

use super::{
    ast::{Argument, Compare, Expr, FieldRef, Function, Literal, Modifier, Op, Operand, Right, Transform},
    cursor::{Cursor, is_blank},
    error::{Problem, SyntaxError},
    quoted::unescape,
};
use crate::rules::text::Text;

/// How deep parentheses may be nested. Keeps the stack within a thread's two mebibytes; real rules stay below ten.
pub(crate) const MAX_DEPTH: usize = 250;

type Parsed<T> = Result<T, SyntaxError>;

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

struct Parser<'a> {
    cursor: Cursor<'a>,
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

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
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

    fn operand(&mut self) -> Parsed<Option<Operand>> {
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

    fn transform(&mut self) -> Parsed<Option<Transform>> {
        let at = self.cursor.place();
        let Some(function) = Function::ALL
            .iter()
            .copied()
            .find(|function| self.cursor.eat_word(function.word(), |next| next == Some(b'(')))
        else {
            return Ok(None);
        };
        self.cursor.eat("(");
        let arguments = self.deeper(|parser| parser.arguments(false))?;
        Ok(Some(Transform { function, arguments, index: self.index()?, at }))
    }

    /// Arguments up to and with the closing parenthesis.
    fn arguments(&mut self, may_be_empty: bool) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        self.cursor.blanks();
        if may_be_empty && self.cursor.eat(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            self.cursor.blanks();
            if !self.cursor.eat(",") {
                self.close()?;
                return Ok(arguments);
            }
        }
    }

    fn argument(&mut self) -> Parsed<Argument> {
        self.cursor.blanks();
        if self.cursor.eat("(") {
            return Ok(Argument::List(self.deeper(|parser| parser.arguments(true))?));
        }
        if let Some(text) = self.quoted()? {
            return Ok(Argument::Text(text));
        }
        if let Some(operand) = self.operand()? {
            return Ok(Argument::Operand(operand));
        }
        match self.number_text() {
            "" => Err(self.cursor.expected("a field, a transformer, a number, a list or a quoted string")),
            number => Ok(Argument::Number(number.into())),
        }
    }

    fn close(&mut self) -> Parsed<()> {
        self.cursor.blanks();
        if self.cursor.eat(")") { Ok(()) } else { Err(self.cursor.expected("`)`")) }
    }

    /// `[argument]`, quoted or not.
    fn index(&mut self) -> Parsed<Option<Box<[u8]>>> {
        if !self.cursor.eat("[") {
            return Ok(None);
        }
        let index = if let Some(quoted) = self.quoted()? {
            quoted.bytes
        } else {
            let bare = |byte| !is_blank(byte) && !matches!(byte, b'[' | b']' | b'"' | b'\'');
            match self.cursor.take_while(bare) {
                "" => return Err(self.cursor.expected("an argument, quoted or not")),
                argument => argument.as_bytes().into(),
            }
        };
        if self.cursor.eat("]") { Ok(Some(index)) } else { Err(self.cursor.expected("`]`")) }
    }

    /// `(a, b)`, or a single name.
    fn list(&mut self) -> Parsed<Vec<Literal>> {
        let at = self.cursor.place();
        if !self.cursor.eat("(") {
            return match self.cursor.identifier() {
                "" => Err(self.cursor.expected("a list, such as `(a, b)`")),
                name => Ok(vec![Literal { bytes: name.as_bytes().into(), at }]),
            };
        }
        let mut values = Vec::new();
        self.cursor.blanks();
        if self.cursor.eat(")") {
            return Ok(values);
        }
        loop {
            self.cursor.blanks();
            values.push(self.value()?);
            self.cursor.blanks();
            if self.cursor.eat(")") {
                return Ok(values);
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.expected("`,` or `)`"));
            }
        }
    }

    fn value(&mut self) -> Parsed<Literal> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let at = self.cursor.place();
        match self.cursor.bare() {
            "" => Err(self.cursor.expected("a value (one with blanks or any of `( ) , =` needs quotes)")),
            value => Ok(Literal { bytes: value.as_bytes().into(), at }),
        }
    }

    fn quoted(&mut self) -> Parsed<Option<Literal>> {
        let (start, at) = (self.cursor.offset(), self.cursor.place());
        let Some((body, quote)) = self.cursor.quoted()? else {
            return Ok(None);
        };
        let bytes = unescape(body, quote).map_err(|bad| {
            self.cursor.error_at(start + 1 + bad.offset, Problem::Escape { found: bad.found, quote })
        })?;
        Ok(Some(Literal { bytes, at }))
    }

    fn number(&mut self) -> Parsed<Literal> {
        let at = self.cursor.place();
        match self.number_text() {
            "" => Err(self.cursor.expected("a number, decimal or hexadecimal")),
            number => Ok(Literal { bytes: number.as_bytes().into(), at }),
        }
    }

    /// `[+-]digits[.digits][e[+-]digits]` or `0xdigits`. Empty, and nothing taken, if none comes.
    fn number_text(&mut self) -> &'a str {
        let (start, rest) = (self.cursor.offset(), self.cursor.rest());
        if self.cursor.eat("0x") || self.cursor.eat("0X") {
            self.cursor.take_while(|byte| byte.is_ascii_hexdigit());
            return &rest[..self.cursor.offset() - start];
        }
        let _ = self.cursor.eat("+") || self.cursor.eat("-");
        if self.digits().is_empty() {
            self.cursor.go_back(start);
            return "";
        }
        if self.cursor.eat(".") {
            self.digits();
        }
        let mantissa = self.cursor.offset();
        if self.cursor.eat("e") || self.cursor.eat("E") {
            let signed = self.cursor.eat("+") || self.cursor.eat("-");
            if !signed || self.digits().is_empty() {
                self.cursor.go_back(mantissa);
            }
        }
        &rest[..self.cursor.offset() - start]
    }

    fn digits(&mut self) -> &'a str {
        self.cursor.take_while(|byte| byte.is_ascii_digit())
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

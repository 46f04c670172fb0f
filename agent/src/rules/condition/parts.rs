//! The smaller parts of the grammar: values, lists, numbers, and what stands in brackets and parentheses.

use super::{
    ast::{Argument, Function, Literal, Transform},
    cursor::is_blank,
    error::Problem,
    parse::{Parsed, Parser},
    quoted::unescape,
};

impl<'a> Parser<'a> {
    pub(super) fn transform(&mut self) -> Parsed<Option<Transform>> {
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

    pub(super) fn close(&mut self) -> Parsed<()> {
        self.cursor.blanks();
        if self.cursor.eat(")") { Ok(()) } else { Err(self.cursor.expected("`)`")) }
    }

    /// `[argument]`, quoted or not.
    pub(super) fn index(&mut self) -> Parsed<Option<Box<[u8]>>> {
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
    pub(super) fn list(&mut self) -> Parsed<Vec<Literal>> {
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

    pub(super) fn value(&mut self) -> Parsed<Literal> {
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

    pub(super) fn number(&mut self) -> Parsed<Literal> {
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

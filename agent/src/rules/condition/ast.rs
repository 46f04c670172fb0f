//! What a condition is made of.

use crate::rules::text::Place;

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// All of them, left to right. At least two.
    And(Vec<Expr>),
    /// Any of them, left to right. At least two.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// The condition of that macro.
    Macro { name: Box<str>, at: Place },
    /// The event has a value for this.
    Exists(Operand),
    /// A value of the event is compared.
    Compare(Box<Compare>),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compare {
    pub(crate) left: Operand,
    pub(crate) op: Op,
    /// Where the operator stands.
    pub(crate) op_at: Place,
    pub(crate) right: Right,
}

/// Something that an event has a value for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Field(FieldRef),
    Transform(Transform),
}

/// A field by its name, such as `proc.aname[2]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldRef {
    pub(crate) name: Box<str>,
    pub(crate) argument: Option<Box<[u8]>>,
    pub(crate) at: Place,
}

/// A value made from others, such as `tolower(proc.name)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transform {
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Argument>,
    /// What stands in brackets after it: `getopt(proc.args, "t:")[t]`.
    pub(crate) index: Option<Box<[u8]>>,
    pub(crate) at: Place,
}

/// What a [`Transform`] is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Text(Literal),
    Number(Box<str>),
    List(Vec<Argument>),
    Operand(Operand),
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// One value.
    Value(Literal),
    /// Values for an operator that takes a list.
    List(Vec<Literal>),
    /// Values for an operator that takes one, each tried.
    Each(Modifier, Vec<Literal>),
    /// `val(field)`: what another field has.
    Field(FieldRef),
    /// What comes out of this.
    Transform(Transform),
}

/// A value as it is written, without quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) at: Place,
}

/// Declares an enum whose members have a word in the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($member:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names, reason = "the names are the language's words")]
        pub(crate) enum $name { $($member),* }

        impl $name {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$member),*];

            /// Its word in the language.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$member => $word),* }
            }
        }
    };
}

words! {
    /// A comparison. `==` is `=`.
    Op {
        Eq = "=", Ne = "!=", Le = "<=", Lt = "<", Ge = ">=", Gt = ">",
        Contains = "contains", IContains = "icontains", BContains = "bcontains",
        StartsWith = "startswith", BStartsWith = "bstartswith", EndsWith = "endswith",
        Glob = "glob", IGlob = "iglob", Regex = "regex",
        In = "in", Intersects = "intersects", PMatch = "pmatch",
    }
}

words! {
    /// How many of a list's values the comparison has to hold for.
    Modifier { OneOf = "oneof", AnyOf = "anyof", AllOf = "allof" }
}

words! {
    /// What makes a value from others.
    Function {
        ToLower = "tolower", ToUpper = "toupper", Base64 = "b64", Basename = "basename", Len = "len",
        Join = "join", Concat = "concat", GetOpt = "getopt",
    }
}

impl Op {
    /// It takes a list: `in (a, b)`.
    pub(crate) const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::PMatch)
    }

    /// It orders numbers, and takes nothing else.
    pub(crate) const fn takes_number(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

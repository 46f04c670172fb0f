//! A match becomes an alert.

use std::sync::Arc;

use super::{Alert, FieldValue};
use crate::{
    context::Enriched,
    rules::{Rule, Value},
};

/// Where events come from that the kernel told of.
const SOURCE: &str = "syscall";
/// The time of the event is a field of every alert, as a number, whether or not the output has it.
const TIME: &str = "evt.time";

impl Alert {
    /// What there is to say of an event that matches this rule.
    #[must_use]
    pub fn of(rule: &Rule, enriched: &Enriched<'_>) -> Self {
        let time = i64::try_from(enriched.time_unix_ns).unwrap_or(i64::MAX);
        let mut fields = vec![(Arc::from(TIME), FieldValue::Number(time))];
        let others = rule.output.fields(enriched).filter(|(name, _)| ***name != *TIME);
        fields.extend(others.map(|(name, value)| (name.clone(), value.into())));
        Self {
            time_unix_ns: enriched.time_unix_ns,
            rule: rule.name.clone(),
            priority: rule.priority,
            source: SOURCE,
            tags: rule.tags.clone(),
            message: rule.output.render(enriched),
            fields,
        }
    }
}

impl From<Option<Value<'_>>> for FieldValue {
    fn from(value: Option<Value<'_>>) -> Self {
        match value {
            None => Self::Absent,
            Some(Value::Text(text)) => Self::Text(text.into_owned()),
            Some(Value::Number(number)) => Self::Number(number),
            Some(Value::Bool(truth)) => Self::Bool(truth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::fixture,
        rules::{Priority, RuleSet, Source},
    };

    #[test]
    fn an_alert_has_the_message_its_fields_and_the_time() {
        let text = "- rule: r\n  desc: d\n  condition: evt.type = openat\n  priority: INFO\n  tags: [b, a]\n  \
                    output: '%evt.time %proc.name %fd.num %container.name %proc.name %evt.is_open_read'\n";
        let source = Source { name: "test.yaml".to_owned(), text: text.to_owned() };
        let loaded = RuleSet::load(&[source]).expect("the rule is fine");
        let fixture = fixture::open("/usr/bin/cat", "/etc/shadow");
        let enriched = fixture.enriched();
        let alert = Alert::of(loaded.rules.matches(&enriched).expect("the rule matches"), &enriched);
        assert_eq!(alert.message, b"10:11:12.123456789 cat 3 <NA> cat true");
        assert_eq!((alert.priority, &*alert.tags), (Priority::Informational, &["a".into(), "b".into()][..]));
        let fields: Vec<_> = alert.fields.iter().map(|(name, value)| (&**name, value.clone())).collect();
        assert_eq!(
            fields,
            [
                ("evt.time", FieldValue::Number(1_779_790_272_123_456_789)),
                ("proc.name", FieldValue::Text(b"cat".to_vec())),
                ("fd.num", FieldValue::Number(3)),
                ("container.name", FieldValue::Absent),
                ("evt.is_open_read", FieldValue::Bool(true)),
            ]
        );
    }
}

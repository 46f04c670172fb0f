//! The pipeline's task: records in, alerts out.

use std::time::{SystemTime, UNIX_EPOCH};

use holdfast_common::Class;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::sensor::FromSensor;
use crate::{
    alert::{Alert, FieldValue},
    pipeline::Pipeline,
    rules::Priority,
};

/// Decides until the sensor hangs up.
pub(super) async fn run(
    mut pipeline: Pipeline,
    mut from: mpsc::Receiver<FromSensor>,
    to: mpsc::Sender<Vec<Alert>>,
) {
    let mut known_malformed = 0;
    while let Some(message) = from.recv().await {
        let alerts = match message {
            FromSensor::Records(batch) => {
                batch.records.iter().filter_map(|record| pipeline.step(record)).collect()
            }
            FromSensor::Lost { class, count } => vec![lost(class, count)],
            FromSensor::Tick => {
                pipeline.context().refresh();
                let malformed = pipeline.counts().malformed;
                if malformed > known_malformed
                    && let Some(error) = pipeline.last_malformed()
                {
                    warn!(count = malformed - known_malformed, %error, "Records could not be decoded");
                    known_malformed = malformed;
                }
                continue;
            }
        };
        if !alerts.is_empty() && to.send(alerts).await.is_err() {
            return;
        }
    }
    let counts = pipeline.counts();
    let healed = pipeline.context().healed();
    info!(counts.records, counts.malformed, counts.alerts, healed, "Pipeline ended");
}

/// What is said of events that never came: who reads the alerts must know that there may be one missing.
fn lost(class: Class, count: u64) -> Alert {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let class = class.name();
    Alert {
        time_unix_ns: now.as_nanos() as u64,
        rule: "Holdfast internal: events lost".into(),
        priority: Priority::Critical,
        source: "internal",
        tags: [].into(),
        message: format!("{count} events of the class {class} were lost in the kernel: the ring was full")
            .into_bytes(),
        fields: vec![
            ("class".into(), FieldValue::Text(class.into())),
            ("count".into(), FieldValue::Number(i64::try_from(count).unwrap_or(i64::MAX))),
        ],
    }
}

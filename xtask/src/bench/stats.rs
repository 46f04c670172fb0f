//! Figures out of samples.

/// The sample below which a share of the samples lies (nearest rank), or `None` without samples.
pub(crate) fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The middle sample.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

/// The least sample: what the work takes when nothing disturbs it.
pub(crate) fn minimum(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.0)
}

#[cfg(test)]
mod tests {
    use super::{median, minimum, quantile};

    #[test]
    fn quantiles_are_samples_of_nearest_rank() {
        let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(minimum(&samples), Some(1.0));
        assert_eq!(median(&samples), Some(3.0));
        assert_eq!(quantile(&samples, 0.99), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}

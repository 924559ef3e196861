//! The samples of `/metrics`, by name and labels. In: the text form of `OpenMetrics`. Out: sums and quantiles.

use std::collections::BTreeMap;

/// One value.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// All values of a moment.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    /// Of a text; what is no sample is left out.
    pub(super) fn read(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Sample> {
        self.0.iter().filter(move |one| one.name == name)
    }

    /// The sum over all labels.
    pub(super) fn sum(&self, name: &str) -> f64 {
        self.named(name).map(|one| one.value).fold(0.0, |sum, one| sum + one)
    }

    /// The sum over all labels, if there is any.
    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.named(name).next().map(|_| self.sum(name))
    }

    /// The sum of those with `label = value`.
    pub(super) fn sum_of(&self, name: &str, (label, value): (&str, &str)) -> f64 {
        let of = self.named(name).filter(|one| one.labels.get(label).is_some_and(|is| is == value));
        of.map(|one| one.value).fold(0.0, |sum, one| sum + one)
    }

    /// Sums by what the labels of these names say.
    pub(super) fn by<const N: usize>(
        &self,
        name: &str,
        labels: [&str; N],
    ) -> BTreeMap<[String; N], f64> {
        let mut sums = BTreeMap::new();
        for one in self.named(name) {
            let key = labels.map(|label| one.labels.get(label).cloned().unwrap_or_default());
            *sums.entry(key).or_default() += one.value;
        }
        sums
    }

    /// The bound of the bucket in which the share `q` of a histogram ends; nothing of an empty one, and of what lies
    /// beyond the last bound.
    pub(super) fn quantile(&self, name: &str, q: f64) -> Option<f64> {
        let name = format!("{name}_bucket");
        let bound = |one: &Sample| one.labels.get("le")?.parse::<f64>().ok();
        let mut buckets: Vec<(f64, f64)> =
            self.named(&name).filter_map(|one| Some((bound(one)?, one.value))).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all = buckets.last().map(|(_, n)| *n).filter(|n| *n > 0.0)?;
        let bound = buckets.iter().find(|(_, n)| *n >= all * q).map(|(bound, _)| *bound);
        bound.filter(|bound| bound.is_finite())
    }
}

/// `name{label="text",...} value`.
fn sample(line: &str) -> Option<Sample> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = head.split_once('{') else {
        return Some(Sample { name: head.to_owned(), labels: BTreeMap::new(), value });
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}')?;
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"")?;
        let (text, after) = unquoted(quoted)?;
        labels.insert(label.trim_start_matches(',').to_owned(), text);
        rest = after;
    }
    Some(Sample { name: name.to_owned(), labels, value })
}

/// The text up to its quote, and what follows.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut all = quoted.char_indices();
    while let Some((at, one)) = all.next() {
        match one {
            '"' => return Some((text, quoted.get(at + 1..)?)),
            '\\' => match all.next()?.1 {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE a counter\na_total{x=\"1\",y=\"p\\\"q\\\\,r\"} 2\na_total{x=\"2\",y=\"\"} 3.5\n\
                        b 7\nnonsense\nc{x=\"unfinished} 1\n\
                        h_bucket{le=\"60.0\"} 1\nh_bucket{le=\"120.0\"} 9\nh_bucket{le=\"+Inf\"} 10\n# EOF\n";

    #[test]
    fn samples_are_summed_by_labels() {
        let samples = Samples::read(TEXT);
        assert_eq!((samples.sum("a_total"), samples.sum("b")), (5.5, 7.0));
        assert_eq!(samples.sum("c").to_string(), "0");
        let of = samples.sum_of("a_total", ("y", "p\"q\\,r"));
        assert!((of - 2.0).abs() < f64::EPSILON, "{of}");
        let by: Vec<_> = samples.by("a_total", ["x"]).into_iter().collect();
        assert_eq!(by, [(["1".to_owned()], 2.0), (["2".to_owned()], 3.5)]);
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let samples = Samples::read(TEXT);
        assert_eq!(samples.quantile("h", 0.05), Some(60.0));
        assert_eq!(samples.quantile("h", 0.9), Some(120.0));
        assert_eq!(samples.quantile("h", 0.99), None);
        assert_eq!(samples.quantile("a", 0.5), None);
    }
}

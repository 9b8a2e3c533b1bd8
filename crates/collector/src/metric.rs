use std::collections::{BTreeMap, BTreeSet};

/// A metric as a page in the text format of Prometheus shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metric {
    /// counter, gauge or histogram.
    pub kind: String,
    /// What it says.
    pub meaning: String,
    /// The values of each of its labels.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

impl Metric {
    /// All metrics of a page, by name. Of a histogram, buckets, sum and count are one.
    pub fn all_of(page: &str) -> BTreeMap<String, Self> {
        let mut metrics: BTreeMap<String, Self> = BTreeMap::new();
        let mut current = String::new();
        for line in page.lines() {
            if let Some((name, meaning)) = comment(line, "# HELP ") {
                metrics.entry(name.to_owned()).or_default().meaning = meaning.to_owned();
            } else if let Some((name, kind)) = comment(line, "# TYPE ") {
                metrics.entry(name.to_owned()).or_default().kind = kind.to_owned();
                name.clone_into(&mut current);
            } else if let Some(metric) = metrics.get_mut(&current) {
                for (label, value) in labels(line) {
                    metric.labels.entry(label).or_default().insert(value);
                }
            }
        }
        metrics
    }
}

fn comment<'l>(line: &'l str, begin: &str) -> Option<(&'l str, &'l str)> {
    line.strip_prefix(begin)?.split_once(' ')
}

/// The labels of a sample, but for the bound of a bucket.
fn labels(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some((_, mut rest)) = line.split_once('{') else {
        return found;
    };
    while let Some((label, value)) = rest.split_once("=\"") {
        let Some((value, behind)) = quoted(value) else {
            return found;
        };
        if label != "le" {
            found.push((label.to_owned(), value));
        }
        rest = behind.trim_start_matches(',');
    }
    found
}

/// A value up to its closing quotation mark, and what is behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_metric_by_metric() {
        let page = "# HELP requests_seconds Time of a request.\n\
            # TYPE requests_seconds histogram\n\
            requests_seconds_bucket{route=\"/keys/{id}\",le=\"0.5\"} 1\n\
            requests_seconds_sum{route=\"/keys/{id}\"} 0.1\n\
            requests_seconds_count{route=\"a\\\"b, c=\\\"\"} 1\n\
            # HELP open Files that are open.\n\
            # TYPE open gauge\n\
            open 7\n";
        let metrics = Metric::all_of(page);
        let requests = metrics.get("requests_seconds").unwrap();
        assert_eq!(requests.kind, "histogram");
        assert_eq!(requests.meaning, "Time of a request.");
        let routes = ["/keys/{id}", "a\"b, c=\""].map(str::to_owned);
        let labels = BTreeMap::from([("route".to_owned(), BTreeSet::from(routes))]);
        assert_eq!(requests.labels, labels);
        let open = metrics.get("open").unwrap();
        assert_eq!((open.kind.as_str(), open.labels.len()), ("gauge", 0));
        assert_eq!(metrics.len(), 2);
    }
}

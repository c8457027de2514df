//! A snapshot as text, piece by piece: an exposition of ten thousand domains has 160 MB, and
//! whoever takes it has taken the first piece before the last one is written.

use std::{iter, ops::Range};

use exposition::{Exposition, Format, Labels};

use super::{Row, Selection, TABLE, subject::subjects};
use crate::{snapshot::Snapshot, telemetry::Report};

/// Returns the exposition of a snapshot, in pieces of at least [`PIECE`] but for the last one; every
/// sample has `labels` before its own.
pub(crate) fn pieces<'s>(
    format: Format,
    selection: Selection,
    labels: Labels,
    snapshot: &'s Snapshot,
    report: &'s Report,
) -> impl Iterator<Item = String> + use<'s> {
    let subjects = subjects(snapshot, selection);
    let count = subjects.len();
    let sections = TABLE.iter().filter(move |section| selection.has(section));
    let rows = sections.flat_map(|section| section.rows);
    let mut steps = rows.flat_map(move |row| steps(row, count).map(move |step| (row, step)));
    let mut exposition = Some(Exposition::new(format).with_labels(labels));
    iter::from_fn(move || {
        let mut text = exposition.take()?;
        for (row, step) in steps.by_ref() {
            let some = subjects.get(step).unwrap_or_default();
            row.write(selection, snapshot, some, report, &mut text);
            if text.pending() >= PIECE {
                let piece = text.take();
                exposition = Some(text);
                return Some(piece);
            }
        }
        Some(text.into_text())
    })
}

/// The domains that a row is written of at a time: some, or all where it is no domain's.
fn steps(row: &Row, count: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let step = if row.is_by_domain() { DOMAINS } else { usize::MAX };
    let firsts = (0..count.max(1)).step_by(step);
    firsts.map(move |first| first..count.min(first.saturating_add(step)))
}

/// Bytes of a piece: it is still in the processor's cache when it is sent or compressed.
const PIECE: usize = 65_536;
/// Domains of which a family is written before it is seen whether that makes a piece.
const DOMAINS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Host;

    #[test]
    fn many_domains_are_as_many_pieces_of_one_exposition() {
        let host = Host::new(300);
        let measured = host.measure(host.find());
        let (selection, report) = (Selection::default(), Report::default());
        let labels = Labels::default();
        let pieces = pieces(Format::OpenMetrics, selection, labels, measured.snapshot(), &report);
        let pieces: Vec<_> = pieces.collect();
        let text = pieces.concat();
        assert!(pieces.len() > 20, "{} pieces", pieces.len());
        let largest = pieces.iter().map(String::len).max().unwrap();
        assert!(largest < 2 * PIECE, "{largest} bytes in a piece");
        assert_eq!(text.matches("# TYPE libvirt_domain_state gauge\n").count(), 1);
        assert_eq!(text.matches("\nlibvirt_domain_vcpu_time_seconds_total{").count(), 4 * 300);
        assert!(text.ends_with("\n# EOF\n"));
    }
}

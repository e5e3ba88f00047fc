//! Which tags one acknowledgement can cover.

use std::collections::BTreeSet;

/// How to tell the broker: everything up to the first, then one by one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) up_to: Option<u64>,
    pub(crate) single: Vec<u64>,
}

/// Takes `tags` out of `unsettled`. One acknowledgement covers all tags below it, so it reaches only
/// to the first hole; and tag 0, which would mean everything, is never given.
pub(crate) fn mark(unsettled: &mut BTreeSet<u64>, tags: &BTreeSet<u64>) -> Marks {
    let mut up_to = None;
    while let Some(first) = unsettled.first().filter(|first| tags.contains(first)).copied() {
        unsettled.remove(&first);
        up_to = Some(first);
    }
    let single = tags.iter().copied().filter(|tag| unsettled.remove(tag)).collect();
    Marks { up_to: up_to.filter(|tag| *tag > 0), single }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(unsettled: &[u64], tags: &[u64]) -> (Marks, Vec<u64>) {
        let mut left: BTreeSet<u64> = unsettled.iter().copied().collect();
        let marks = mark(&mut left, &tags.iter().copied().collect());
        (marks, left.into_iter().collect())
    }

    #[test]
    fn one_mark_reaches_to_the_first_hole() {
        let up_to = |up_to, single: &[u64]| Marks { up_to, single: single.to_vec() };
        assert_eq!(marks(&[3, 4, 5, 9], &[3, 4, 5]), (up_to(Some(5), &[]), vec![9]));
        assert_eq!(marks(&[3, 4, 5, 9], &[3, 5, 9]), (up_to(Some(3), &[5, 9]), vec![4]));
        assert_eq!(marks(&[3, 4], &[4]), (up_to(None, &[4]), vec![3]));
    }

    /// Marking a tag that is not ours to settle would end the channel.
    #[test]
    fn what_is_not_unsettled_is_not_marked() {
        assert_eq!(marks(&[3], &[1, 2, 7]), (Marks { up_to: None, single: vec![] }, vec![3]));
        assert_eq!(marks(&[], &[0]), (Marks { up_to: None, single: vec![] }, vec![]));
    }
}

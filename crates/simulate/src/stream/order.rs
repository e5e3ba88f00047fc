//! Puts callbacks into the order in which they are sent: by time, then shaken within a window.

use fastrand::Rng;

use super::Draft;
use crate::Callback;

/// No callback is overtaken by one that was `window` or more places behind it.
pub fn arrange(mut drafts: Vec<Draft>, window: usize, rng: &mut Rng) -> Vec<Callback> {
    drafts.sort_by_key(|draft| draft.position_s);
    let shake = |(place, draft): (usize, Draft)| (place + rng.usize(..window.max(1)), draft.callback);
    let mut placed: Vec<_> = drafts.into_iter().enumerate().map(shake).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, callback)| callback).collect()
}

//! A seeded stream of callbacks about a club's members, with everything that goes wrong in a year.
//!
//! It tells *stories* (a member joins and renews, a refund overtakes its payment, a forger tries) and
//! knows of each callback what must become of it. The same options make the same stream, byte for
//! byte, so that a run can be repeated from its seed.

mod documents;
mod hostile;
mod options;
mod order;
mod payments;
mod reversals;
mod teller;

use crate::Callback;
pub use options::{Mix, PlanPrice, StreamOptions, default_plans};
use teller::{Draft, Teller};

/// A story's callbacks, or none where no source can send them.
type Story = fn(&mut Teller<'_>) -> Vec<Draft>;

/// Each story, and how often it is told among the others.
const STORIES: &[(Story, u32)] = &[
    (payments::member, 40),
    (payments::decline, 10),
    (payments::review, 4),
    (payments::rental, 10),
    (payments::wrong_amount, 6),
    (payments::wrong_currency, 2),
    (payments::unknown_category, 4),
    (payments::missing_plan, 6),
    (payments::contradiction, 3),
    (payments::missing_field, 3),
    (reversals::refund, 6),
    (reversals::partial_refunds, 5),
    (reversals::refund_before_payment, 5),
    (reversals::refund_of_rental, 3),
    (reversals::refund_of_nothing, 2),
    (reversals::dispute_lost, 4),
    (reversals::dispute_won, 3),
    (documents::signer, 16),
    (documents::guardian_only, 5),
    (documents::void, 4),
    (documents::voided_waiver, 4),
    (hostile::forged, 10),
    (hostile::stale, 5),
    (hostile::unparseable, 6),
    (hostile::unwanted_type, 5),
];

/// Callbacks in the order in which they are to be sent.
pub struct Stream {
    callbacks: Vec<Callback>,
    tag: String,
}

impl Stream {
    /// Exactly `options.events` callbacks; none if no source is given.
    pub fn new(options: &StreamOptions) -> Self {
        let mut teller = Teller::new(options);
        let tag = teller.tag().to_owned();
        let mut drafts = Vec::with_capacity(options.events);
        if options.mix == Mix::Everything {
            tell_each_once(&mut teller, &mut drafts, options.events);
            tell_at_random(&mut teller, &mut drafts, options.events);
        }
        fill(&mut teller, &mut drafts, options.events);
        let callbacks = order::arrange(drafts, options.window, &mut teller.rng);
        Self { callbacks, tag }
    }

    /// Stands in every id and address of this stream, the forged ones too.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub fn callbacks(&self) -> &[Callback] {
        &self.callbacks
    }

    pub fn into_callbacks(self) -> Vec<Callback> {
        self.callbacks
    }
}

fn tell_each_once(teller: &mut Teller<'_>, drafts: &mut Vec<Draft>, events: usize) {
    for (story, _) in STORIES {
        add(teller, *story, drafts, events);
    }
}

fn tell_at_random(teller: &mut Teller<'_>, drafts: &mut Vec<Draft>, events: usize) {
    let weights: u32 = STORIES.iter().map(|(_, weight)| weight).sum();
    // Bounded, because a story without a source adds nothing.
    for _ in 0..events {
        if drafts.len() >= events {
            return;
        }
        let mut drawn = teller.rng.u32(..weights);
        let story = STORIES.iter().find(|(_, weight)| {
            let found = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            found
        });
        if let Some((story, _)) = story {
            add(teller, *story, drafts, events);
        }
    }
}

fn add(teller: &mut Teller<'_>, story: Story, drafts: &mut Vec<Draft>, events: usize) {
    let told = story(teller);
    let told = teller.with_duplicates(told);
    if drafts.len() + told.len() <= events {
        drafts.extend(told);
    }
}

/// The rest are new members with one callback each.
fn fill(teller: &mut Teller<'_>, drafts: &mut Vec<Draft>, events: usize) {
    while drafts.len() < events {
        let Some(draft) = payments::one(teller).or_else(|| documents::one(teller)) else { return };
        drafts.push(draft);
    }
}

#[cfg(test)]
mod tests;

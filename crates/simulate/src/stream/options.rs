//! What a stream is made of.

use std::sync::Arc;

use jiff::Timestamp;
use rollbook_domain::{Currency, Money};

use crate::Source;

/// A plan as the price list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPrice {
    pub category: String,
    pub price: Money,
}

impl PlanPrice {
    /// In US dollars; `minor` counts cents.
    pub fn dollars(category: &str, minor: i64) -> Self {
        #[expect(clippy::expect_used, reason = "a literal code")]
        let currency = Currency::parse("USD").expect("a literal code");
        Self { category: category.to_owned(), price: Money { minor, currency } }
    }
}

/// The price list of an outing club at a university.
pub fn default_plans() -> Vec<PlanPrice> {
    [("MU", 1500), ("MG", 1500), ("MA", 3000), ("NU", 4000), ("NG", 4000), ("ML", 4000), ("NA", 4000)]
        .into_iter()
        .map(|(category, minor)| PlanPrice::dollars(category, minor))
        .collect()
}

/// Which stories are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    Everything,
    /// New members with one callback each, for measuring.
    Plain,
}

#[derive(Clone, Debug)]
pub struct StreamOptions {
    pub seed: u64,
    /// Callbacks in all.
    pub events: usize,
    pub sources: Vec<Arc<Source>>,
    /// When the first payment was made. Plans must be valid from here on. To keep every time in the
    /// past, begin `span_days` and four months ago: refunds and disputes come that much later.
    pub start: Timestamp,
    /// Over how many days the payments are spread. Sending takes as long as the player takes.
    pub span_days: u32,
    /// At least one. What the service knows.
    pub plans: Vec<PlanPrice>,
    /// One that the service does not know at first; its payments are dead letters until it does.
    pub missing_plan: Option<PlanPrice>,
    pub mix: Mix,
    /// Also refunds whose payment never comes. They become dead letters only when the service's
    /// retry schedule is over.
    pub orphans: bool,
    /// How far a callback can be moved from its place, in callbacks.
    pub window: usize,
}

impl StreamOptions {
    /// Two years of everything but orphans, with the default plans and `LT` at 25.00 USD missing.
    pub fn new(seed: u64, events: usize, sources: Vec<Arc<Source>>, start: Timestamp) -> Self {
        Self {
            seed,
            events,
            sources,
            start,
            span_days: 700,
            plans: default_plans(),
            missing_plan: Some(PlanPrice::dollars("LT", 2500)),
            mix: Mix::Everything,
            orphans: false,
            window: 24,
        }
    }
}

//! Collects checks and the first explanations.

use std::collections::HashMap;

use rollbook_store::Check;

use super::Audit;

const MOST_EXPLANATIONS: usize = 20;

#[derive(Default)]
pub struct Findings {
    checks: Vec<Check>,
    by_name: HashMap<&'static str, usize>,
    explanations: Vec<String>,
}

impl Findings {
    /// Names a check, so that it is listed even if it never had anything to look at.
    pub fn open(&mut self, name: &'static str) {
        self.slot(name);
    }

    /// Counts one thing looked at; `fault` says what is wrong with it.
    pub fn note(&mut self, name: &'static str, fault: Option<String>) {
        let slot = self.slot(name);
        self.checks[slot].checked += 1;
        if let Some(fault) = fault {
            self.checks[slot].broken += 1;
            if self.explanations.len() < MOST_EXPLANATIONS {
                self.explanations.push(format!("{name}: {fault}"));
            }
        }
    }

    fn slot(&mut self, name: &'static str) -> usize {
        let checks = &mut self.checks;
        *self.by_name.entry(name).or_insert_with(|| {
            checks.push(Check { name: name.to_owned(), checked: 0, broken: 0 });
            checks.len() - 1
        })
    }

    pub fn audit(self) -> Audit {
        Audit { checks: self.checks, explanations: self.explanations }
    }
}

//! What the configuration itself tells: secrets that cannot be had, that are short, that rotate.

use crate::cli::Common;
use crate::config::{self, Kept};
use crate::exit::Failure;

use super::finding::{Check, Status};

const NAME: &str = "configuration";
const SECRETS: &str = "secrets";

/// The configuration is known to be readable; whether it can serve shows only with its secrets.
pub fn checks(common: &Common) -> Result<Vec<Check>, Failure> {
    let kept = config::kept(&common.config).map_err(Failure::usage)?;
    let served = config::load(&common.config, true);
    Ok(match served {
        Ok(resolved) => findings(resolved.sources.len(), &resolved.warnings, &kept),
        Err(error) => vec![Check::of_sentence(SECRETS, Status::Problem, &error.to_string())],
    })
}

fn findings(sources: usize, warnings: &[String], kept: &Kept) -> Vec<Check> {
    let warned = |warning: &String| Check::of_sentence(NAME, Status::Warning, warning);
    let mut checks: Vec<Check> = warnings.iter().map(warned).collect();
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("{sources} sources, each with a verifier")));
    }
    checks.extend(kept.rotating.iter().map(|(source, secrets)| {
        let detail = format!(
            "`{source}` has {secrets} secrets; when the provider signs with the new one alone, take the old one out"
        );
        Check::ok(SECRETS, detail)
    }));
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rotating: &[(&str, usize)]) -> Kept {
        let rotating = rotating.iter().map(|(source, count)| ((*source).to_owned(), *count)).collect();
        Kept { files: Vec::new(), inline: false, rotating }
    }

    #[test]
    fn every_warning_is_a_finding() {
        let warnings = ["`sources.s.secrets[0]` is only 3 bytes long; use at least 16".to_owned()];
        let checks = findings(1, &warnings, &kept(&[]));
        assert_eq!(checks.len(), 1);
        assert_eq!((checks[0].status, checks[0].todo.as_deref()), (Status::Warning, Some("use at least 16")));
    }

    #[test]
    fn a_rotation_under_way_is_told_and_is_no_finding() {
        let checks = findings(1, &[], &kept(&[("stripe", 2)]));
        assert!(checks.iter().all(|check| check.status == Status::Ok), "{checks:?}");
        assert!(checks[1].detail.contains("`stripe` has 2 secrets"));
    }
}

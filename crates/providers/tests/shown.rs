//! Events as the vectors write them.

use rollbook_domain::{Amount, Capture, Completion, Event, Fact};
use serde_json::{Value, json};

/// A failure's difference must be readable, so every fact is shown by its own fields.
pub fn event(event: &Event) -> Value {
    let mut shown = json!({
        "key": event.key.as_str(),
        "at": event.occurred_at.to_string(),
        "kind": event.fact.kind().as_str(),
    });
    let fields = fact(&event.fact);
    shown.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    shown
}

fn fact(said: &Fact) -> Value {
    match said {
        // Few payments name one.
        Fact::PaymentCaptured(capture) if capture.points_group.is_some() => {
            let mut shown = fact(&Fact::PaymentCaptured(Capture { points_group: None, ..capture.clone() }));
            shown["points_group"] = json!(capture.points_group);
            shown
        }
        Fact::PaymentCaptured(capture) => json!({
            "transaction": capture.transaction,
            "amount": amount(&capture.amount),
            "authorised": capture.authorised.as_ref().map(amount),
            "purpose": capture.purpose,
            "category": capture.category,
            "email": capture.email,
            "name": capture.name,
        }),
        Fact::PaymentRefunded(refund) => {
            json!({ "transaction": refund.transaction, "cumulative": refund.cumulative.to_string() })
        }
        Fact::PaymentDisputed(dispute) => json!({
            "transaction": dispute.transaction,
            "dispute": dispute.dispute,
            "phase": format!("{:?}", dispute.phase),
        }),
        Fact::DocumentCompleted(Completion { document, email, name, category }) => {
            json!({ "document": document, "email": email, "name": name, "category": category })
        }
        Fact::DocumentVoided { document } | Fact::DocumentDeclined { document } => json!({ "document": document }),
        Fact::RecipientCompleted { document, recipient } => json!({ "document": document, "recipient": recipient }),
        Fact::Other { name } => json!({ "name": name }),
        Fact::PaymentDeclined | Fact::PaymentPending => json!({}),
        Fact::MemberRegistered { .. } => panic!("only we say this"),
    }
}

fn amount(amount: &Amount) -> String {
    use rollbook_domain::AmountFault;
    match amount.money {
        Ok(money) => money.to_string(),
        Err(AmountFault::MissingAmount) => "no amount".to_owned(),
        Err(AmountFault::MissingCurrency) => "no currency".to_owned(),
        Err(AmountFault::Unreadable(fault)) => {
            format!("{} {}: {fault}", amount.text, amount.currency.as_deref().unwrap_or("?"))
        }
    }
}

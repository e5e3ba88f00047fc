//! Translation of `{type, timestamp, data}` where `type` is one of our words; the shape is described
//! with the provider.

use jiff::Timestamp;
use rollbook_domain::{
    Account, Amount, Capture, Completion, Dispute, DisputePhase, Envelope, Event, EventKey, Fact, FactKind, Refund,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{id, missing, unreadable};
use crate::json::Json;
use crate::{Fields, TranslateFault, instant};

pub(super) fn translate(fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
    let tree = Json::object(&envelope.body)?;
    let name = tree.get("type").text().ok_or_else(|| missing("type"))?;
    let data = Data { members: tree.get("data"), fields, body: &envelope.body };
    let timestamp = timestamp(tree.get("timestamp"));
    let (key, occurred_at, fact) = if let Some((key, fact)) = data.fact(name)? {
        (key, timestamp?, fact)
    } else {
        let fact = Fact::Other { name: name.to_owned() };
        (EventKey::other(&envelope.delivery_key), timestamp.unwrap_or(envelope.received_at), fact)
    };
    Ok(vec![Event { key, account: account.clone(), source: envelope.source.clone(), occurred_at, fact }])
}

fn timestamp(value: &Json) -> Result<Timestamp, TranslateFault> {
    if matches!(value, Json::Null) {
        return Err(missing("timestamp"));
    }
    value.text().and_then(instant::parse).ok_or_else(|| unreadable("timestamp"))
}

struct Data<'e> {
    members: &'e Json,
    fields: &'e Fields,
    body: &'e [u8],
}

impl Data<'_> {
    /// `None` for a word that is not ours. `member_registered` is said by us alone.
    fn fact(&self, name: &str) -> Result<Option<(EventKey, Fact)>, TranslateFault> {
        let is = |kind: FactKind| kind.as_str() == name;
        let said = if is(FactKind::PaymentCaptured) {
            self.captured()?
        } else if is(FactKind::PaymentPending) {
            (EventKey::pending(&self.id("transaction")?), Fact::PaymentPending)
        } else if is(FactKind::PaymentDeclined) {
            (EventKey::declined(&self.id("transaction")?), Fact::PaymentDeclined)
        } else if is(FactKind::PaymentRefunded) {
            self.refunded()?
        } else if is(FactKind::PaymentDisputed) {
            self.disputed()?
        } else {
            return self.document_fact(&is);
        };
        Ok(Some(said))
    }

    fn document_fact(&self, is: &dyn Fn(FactKind) -> bool) -> Result<Option<(EventKey, Fact)>, TranslateFault> {
        let said = if is(FactKind::DocumentCompleted) {
            self.completed()?
        } else if is(FactKind::DocumentVoided) {
            let document = self.id("document")?;
            (EventKey::document_voided(&document), Fact::DocumentVoided { document })
        } else if is(FactKind::DocumentDeclined) {
            let document = self.id("document")?;
            (EventKey::document_declined(&document), Fact::DocumentDeclined { document })
        } else if is(FactKind::RecipientCompleted) {
            let (document, recipient) = (self.id("document")?, self.id("recipient")?);
            (EventKey::recipient_completed(&document, &recipient), Fact::RecipientCompleted { document, recipient })
        } else {
            return Ok(None);
        };
        Ok(Some(said))
    }

    fn captured(&self) -> Result<(EventKey, Fact), TranslateFault> {
        let transaction = self.id("transaction")?;
        let capture = Capture {
            amount: self.amount("amount"),
            authorised: None,
            purpose: self.field(self.fields.purpose.as_ref(), "purpose"),
            category: self.field(self.fields.category.as_ref(), "category"),
            email: self.field(self.fields.email.as_ref(), "email"),
            name: self.field(self.fields.name.as_ref(), "name"),
            points_group: self.field(self.fields.points_group.as_ref(), "points_group"),
            transaction,
        };
        Ok((EventKey::captured(&capture.transaction), Fact::PaymentCaptured(capture)))
    }

    fn refunded(&self) -> Result<(EventKey, Fact), TranslateFault> {
        let transaction = self.id("transaction")?;
        for needed in ["refunded", "currency"] {
            if matches!(self.members.get(needed), Json::Null) {
                return Err(missing(&format!("data.{needed}")));
            }
        }
        let cumulative = self.amount("refunded").money.map_err(|_| unreadable("data.refunded"))?;
        let key = EventKey::refunded(&transaction, cumulative.minor);
        Ok((key, Fact::PaymentRefunded(Refund { transaction, cumulative })))
    }

    fn disputed(&self) -> Result<(EventKey, Fact), TranslateFault> {
        let (transaction, dispute) = (self.id("transaction")?, self.id("dispute")?);
        let phase = self.members.get("phase").text().ok_or_else(|| missing("data.phase"))?;
        let (key, phase) = match phase {
            "opened" => (EventKey::dispute_opened(&dispute), DisputePhase::Opened),
            "won" => (EventKey::dispute_won(&dispute), DisputePhase::Won),
            "lost" => (EventKey::dispute_lost(&dispute), DisputePhase::Lost),
            _ => return Err(unreadable("data.phase")),
        };
        Ok((key, Fact::PaymentDisputed(Dispute { transaction, dispute, phase })))
    }

    fn completed(&self) -> Result<(EventKey, Fact), TranslateFault> {
        let document = self.id("document")?;
        let completion = Completion {
            email: self.field(self.fields.email.as_ref(), "email"),
            name: self.field(self.fields.name.as_ref(), "name"),
            category: self.field(self.fields.category.as_ref(), "category"),
            document,
        };
        Ok((EventKey::document_completed(&completion.document), Fact::DocumentCompleted(completion)))
    }

    fn id(&self, name: &str) -> Result<String, TranslateFault> {
        id(self.members.get(name).id().as_deref(), &format!("data.{name}"))
    }

    fn field(&self, configured: Option<&String>, default: &str) -> Option<String> {
        self.members.get(configured.map_or(default, String::as_str)).text().map(str::to_owned)
    }

    fn amount(&self, name: &str) -> Amount {
        let written = match self.members.get(name) {
            Json::Text(text) => Some(text.clone()),
            Json::Integer(number) => Some(number.to_string()),
            Json::Fraction => Some(self.raw(name)),
            _ => None,
        };
        let written = written.filter(|text| !text.trim().is_empty());
        Amount::decimal(written.as_deref(), self.members.get("currency").text())
    }

    /// A number as it stands in the body: a float would have rounded it. Empty if it is gone, which
    /// the tree has ruled out.
    fn raw(&self, name: &str) -> String {
        let body = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(self.body);
        let numbers = serde_json::from_slice::<Body<'_>>(body).map(|body| body.data);
        let raw = numbers.ok().and_then(|numbers| if name == "amount" { numbers.amount } else { numbers.refunded });
        raw.map(|raw| raw.get().to_owned()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    data: Numbers<'b>,
}

#[derive(Deserialize)]
struct Numbers<'b> {
    #[serde(borrow)]
    amount: Option<&'b RawValue>,
    #[serde(borrow)]
    refunded: Option<&'b RawValue>,
}

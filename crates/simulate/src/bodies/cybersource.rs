//! Replies of CyberSource Secure Acceptance, before they are signed.
//!
//! The fields are those of a real reply (Secure Acceptance Checkout API guide, "Reply fields");
//! the four `req_merchant_defined_data` fields carry purpose, category, member's address and name.

use form_urlencoded::Serializer;
use jiff::Timestamp;

use super::Person;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Accept,
    Decline,
    Review,
}

impl Decision {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Accept => ("ACCEPT", "100", "Request was processed successfully."),
            Self::Decline => ("DECLINE", "203", "General decline of the card."),
            Self::Review => ("REVIEW", "480", "The order is marked for review by Decision Manager."),
        }
    }
}

pub struct Reply<'a> {
    pub transaction: &'a str,
    pub decision: Decision,
    /// As written, so that odd amounts can be sent.
    pub amount: &'a str,
    /// The second signed amount; absent where nothing was authorised.
    pub authorised: Option<&'a str>,
    pub currency: &'a str,
    pub purpose: &'a str,
    pub category: Option<&'a str>,
    pub member: &'a Person,
    /// `false` leaves the member's address out.
    pub with_email: bool,
    pub authorised_at: Timestamp,
    /// UTC, whole seconds. The two posts of one payment differ in it.
    pub signed_at: Timestamp,
    /// Which key signs.
    pub access_key: &'a str,
}

/// The form, without `signed_field_names` and `signature`.
pub fn reply(reply: &Reply<'_>) -> Vec<u8> {
    let mut form = Serializer::new(String::with_capacity(1600));
    outcome(&mut form, reply);
    request(&mut form, reply);
    bill_to(&mut form, reply.member);
    merchant_data(&mut form, reply);
    form.append_pair("signed_date_time", &reply.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    form.finish().into_bytes()
}

type Form = Serializer<'static, String>;

fn outcome(form: &mut Form, reply: &Reply<'_>) {
    let (decision, code, message) = reply.decision.words();
    form.append_pair("transaction_id", reply.transaction)
        .append_pair("decision", decision)
        .append_pair("reason_code", code)
        .append_pair("message", message)
        .append_pair("utf8", "✓");
    if let Some(amount) = reply.authorised {
        form.append_pair("auth_amount", amount)
            .append_pair("auth_code", "831000")
            .append_pair("auth_response", code)
            .append_pair("auth_avs_code", "X")
            .append_pair("auth_trans_ref_no", reply.transaction)
            .append_pair("auth_time", &reply.authorised_at.strftime("%Y-%m-%dT%H%M%SZ").to_string());
    }
}

fn request(form: &mut Form, reply: &Reply<'_>) {
    form.append_pair("req_access_key", reply.access_key)
        .append_pair("req_profile_id", "C0FFEE00-0000-4000-8000-00000000C1AB")
        .append_pair("req_transaction_uuid", &format!("order-{}", reply.transaction))
        .append_pair("req_transaction_type", "sale")
        .append_pair("req_reference_number", &format!("ref-{}", reply.transaction))
        .append_pair("req_amount", reply.amount)
        .append_pair("req_currency", reply.currency)
        .append_pair("req_locale", "en-us")
        .append_pair("req_payment_method", "card")
        .append_pair("req_card_type", "001")
        .append_pair("req_card_number", "xxxxxxxxxxxx1111")
        .append_pair("req_card_expiry_date", "12-2031");
}

fn bill_to(form: &mut Form, member: &Person) {
    form.append_pair("req_bill_to_forename", &member.first)
        .append_pair("req_bill_to_surname", &member.last)
        .append_pair("req_bill_to_email", &member.billing_email())
        .append_pair("req_bill_to_address_line1", "1 Invented Way, Apt. = 2")
        .append_pair("req_bill_to_address_city", "Nowhere")
        .append_pair("req_bill_to_address_state", "MA")
        .append_pair("req_bill_to_address_postal_code", "00000")
        .append_pair("req_bill_to_address_country", "US");
}

fn merchant_data(form: &mut Form, reply: &Reply<'_>) {
    form.append_pair("req_merchant_defined_data1", reply.purpose);
    if let Some(category) = reply.category {
        form.append_pair("req_merchant_defined_data2", category);
    }
    if reply.with_email {
        form.append_pair("req_merchant_defined_data3", &reply.member.written);
    }
    form.append_pair("req_merchant_defined_data4", &reply.member.name());
}

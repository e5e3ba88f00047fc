//! DocuSign Connect messages in the legacy XML format (`http://www.docusign.net/API/3.0`).
//!
//! Times are local and the offset stands beside them. Messages are grouped and tell the state at
//! the time of sending, so a final state may come twice.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::docusign::Waiver;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Completed,
    /// Waits for a guardian: the releasor alone has signed.
    Delivered,
    Voided,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::Delivered => "Delivered",
            Self::Voided => "Voided",
        }
    }
}

/// `offset_hours` is whole hours east of UTC, as `TimeZoneOffset` has it.
pub fn message(waiver: &Waiver<'_>, status: Status, offset_hours: i8) -> Vec<u8> {
    let mut xml = String::with_capacity(3000);
    xml.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    xml.push_str("<DocuSignEnvelopeInformation xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"");
    xml.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
    xml.push_str(" xmlns=\"http://www.docusign.net/API/3.0\"><EnvelopeStatus><RecipientStatuses>");
    releasor(&mut xml, waiver, status);
    if waiver.guardian {
        guardian(&mut xml, waiver, status);
    }
    xml.push_str("</RecipientStatuses>");
    envelope(&mut xml, waiver, status, offset_hours);
    xml.push_str("</EnvelopeStatus><TimeZone>Eastern Standard Time</TimeZone>");
    element(&mut xml, "TimeZoneOffset", &offset_hours.to_string());
    xml.push_str("</DocuSignEnvelopeInformation>");
    xml.into_bytes()
}

fn releasor(xml: &mut String, waiver: &Waiver<'_>, status: Status) {
    let person = waiver.releasor;
    let done = status != Status::Voided;
    xml.push_str("<RecipientStatus><Type>Signer</Type>");
    element(xml, "Email", &person.written);
    element(xml, "UserName", &person.name());
    element(xml, "RoutingOrder", "1");
    xml.push_str("<DeclineReason xsi:nil=\"true\" />");
    element(xml, "Status", if done { "Completed" } else { "Sent" });
    xml.push_str("<CustomFields /><TabStatuses>");
    tab(xml, "FullName", "Releasor's Name", &person.name());
    tab(xml, "Custom", "Releasor's Email", &person.written);
    tab(xml, "SignHere", "Signature", "");
    xml.push_str("</TabStatuses><FormData><xfdf><fields>");
    field(xml, "FullName", &person.name());
    field(xml, "Medical Insurer", "Invented Mutual");
    field(xml, "Affiliation", waiver.affiliation);
    xml.push_str("</fields></xfdf></FormData>");
    element(xml, "RecipientId", "11111111-1111-4111-8111-111111111111");
    xml.push_str("</RecipientStatus>");
}

fn guardian(xml: &mut String, waiver: &Waiver<'_>, status: Status) {
    let email = format!("guardian.{}", waiver.releasor.email);
    xml.push_str("<RecipientStatus><Type>Signer</Type>");
    element(xml, "Email", &email);
    element(xml, "UserName", "A Guardian");
    element(xml, "RoutingOrder", "2");
    element(xml, "Status", if status == Status::Completed { "Completed" } else { "Sent" });
    xml.push_str("<TabStatuses>");
    tab(xml, "FullName", "Guardian's Name", "A Guardian");
    tab(xml, "EmailAddress", "Guardian's Email", &email);
    xml.push_str("</TabStatuses>");
    element(xml, "RecipientId", "22222222-2222-4222-8222-222222222222");
    xml.push_str("</RecipientStatus>");
}

fn envelope(xml: &mut String, waiver: &Waiver<'_>, status: Status, offset_hours: i8) {
    let at = local(waiver.at, offset_hours);
    element(xml, "TimeGenerated", &format!("{}0000", local(waiver.generated_at, offset_hours)));
    element(xml, "EnvelopeID", waiver.document);
    element(xml, "Subject", "Please sign: liability waiver");
    element(xml, "UserName", "Waiver Desk");
    element(xml, "Email", "desk@example.org");
    element(xml, "Status", status.word());
    element(xml, "Created", &at);
    element(xml, "Sent", &at);
    match status {
        Status::Completed => {
            element(xml, "Delivered", &at);
            element(xml, "Signed", &at);
            element(xml, "Completed", &at);
        }
        Status::Delivered => element(xml, "Delivered", &at),
        Status::Voided => {
            element(xml, "Voided", &at);
            element(xml, "VoidReason", "Sent by mistake");
        }
    }
    xml.push_str("<ACStatus>Original</ACStatus><CustomFields /><AutoNavigation>true</AutoNavigation>");
}

fn local(at: Timestamp, offset_hours: i8) -> String {
    let there = Offset::constant(offset_hours).to_datetime(at);
    there.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

fn tab(xml: &mut String, kind: &str, label: &str, value: &str) {
    xml.push_str("<TabStatus>");
    element(xml, "TabType", kind);
    element(xml, "Status", "Signed");
    element(xml, "TabLabel", label);
    element(xml, "TabName", label);
    element(xml, "TabValue", value);
    xml.push_str("</TabStatus>");
}

fn field(xml: &mut String, name: &str, value: &str) {
    let _ = write!(xml, "<field name=\"{}\"><value>{}</value></field>", escaped(name), escaped(value));
}

fn element(xml: &mut String, name: &str, value: &str) {
    let _ = write!(xml, "<{name}>{}</{name}>", escaped(value));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

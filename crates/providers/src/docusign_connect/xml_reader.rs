//! The legacy message as a flat record.
//!
//! Read by full path, because names repeat (`Status` of the envelope, of each recipient and of each
//! tab). Names count only in the provider's namespace, whatever prefix it has; inside the form data
//! the namespace is left to whoever made the form. A document type is skipped: nothing is fetched,
//! and no entity but XML's own five is ever expanded. `quick-xml`'s namespace reader is not used,
//! its work grows with the number of bindings times the number of elements; here both depth and
//! bindings are bounded.

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::PrefixDeclaration;

use crate::TranslateFault;
use crate::fault::{said, unparseable};

const NAMESPACE: &str = "http://www.docusign.net/API/3.0";
const ROOT: &str = "DocuSignEnvelopeInformation";
/// A real message has 9 levels.
const DEEPEST: usize = 64;
/// Namespace bindings in force at one time. A real message has 3.
const MOST_BINDINGS: usize = 64;

#[derive(Default)]
pub(super) struct Message {
    pub time_zone_offset: Option<String>,
    pub status: Option<String>,
    pub envelope_id: Option<String>,
    pub time_generated: Option<String>,
    pub completed: Option<String>,
    pub voided: Option<String>,
    pub declined: Option<String>,
    pub recipients: Vec<Recipient>,
}

#[derive(Default)]
pub(super) struct Recipient {
    pub kind: Option<String>,
    pub status: Option<String>,
    pub id: Option<String>,
    pub signed: Option<String>,
    pub tabs: Vec<Tab>,
    /// Name and value of the fields of the form data.
    pub form: Vec<(String, Option<String>)>,
}

#[derive(Default)]
pub(super) struct Tab {
    pub label: Option<String>,
    pub value: Option<String>,
    pub custom_kind: Option<String>,
}

pub(super) fn read(body: &[u8]) -> Result<Message, TranslateFault> {
    let text = std::str::from_utf8(body).map_err(|_| unparseable("the XML is not in UTF-8"))?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut walk = Walk::default();
    loop {
        let at = reader.buffer_position();
        // The error's own text may quote the body.
        let broken = || unparseable(format!("no readable XML (byte {at})"));
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(element) => walk.open(&element)?,
            Event::Empty(element) => {
                walk.open(&element)?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::Text(text) => walk.text.push_str(&text),
            Event::CData(text) => walk.text.push_str(&text),
            Event::GeneralRef(reference) => walk.text.push_str(&expand(&reference).ok_or_else(broken)?),
            Event::Eof => return walk.finish(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// A character or one of XML's five entities; nothing that a document type declares.
fn expand(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character.to_string()),
        None => resolve_xml_entity(reference).map(str::to_owned),
    }
}

#[derive(Default)]
struct Walk {
    message: Message,
    /// Local names from the root, each after a slash.
    path: String,
    /// The length of `path` before each open element.
    marks: Vec<usize>,
    /// Depth of the declaring element, prefix, and whether it is bound to the provider's namespace.
    bindings: Vec<(usize, String, bool)>,
    /// Of the element that was opened last.
    text: String,
    rooted: bool,
}

impl Walk {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), TranslateFault> {
        if self.marks.len() == DEEPEST {
            return Err(unparseable(format!("the XML is nested deeper than {DEEPEST} levels")));
        }
        self.bind(element)?;
        let (local, prefix) = element.name().decompose();
        let ours = self.is_ours(prefix.map_or("", |prefix| prefix.into_inner()));
        self.marks.push(self.path.len());
        self.path.push('/');
        self.path.push_str(if ours && !local.into_inner().contains('/') { local.into_inner() } else { "?" });
        self.text.clear();
        if self.marks.len() == 1 {
            self.root()?;
        }
        self.begin(element);
        Ok(())
    }

    fn root(&mut self) -> Result<(), TranslateFault> {
        if self.rooted || self.path[1..] != *ROOT {
            return Err(unparseable(format!("the XML's root is not {ROOT}")));
        }
        self.rooted = true;
        Ok(())
    }

    fn bind(&mut self, element: &BytesStart<'_>) -> Result<(), TranslateFault> {
        // Without the check for repeated attributes, whose work grows with their square.
        let mut attributes = element.attributes();
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|_| unparseable("an XML attribute cannot be read"))?;
            let prefix = match attribute.key.as_namespace_binding() {
                Some(PrefixDeclaration::Default) => "",
                Some(PrefixDeclaration::Named(prefix)) => prefix,
                None => continue,
            };
            if self.bindings.len() == MOST_BINDINGS {
                return Err(unparseable(format!("the XML binds more than {MOST_BINDINGS} namespaces")));
            }
            self.bindings.push((self.marks.len(), prefix.to_owned(), attribute.value.trim() == NAMESPACE));
        }
        Ok(())
    }

    fn is_ours(&self, prefix: &str) -> bool {
        let bound = self.bindings.iter().rev().find(|(_, name, _)| name == prefix);
        bound.is_some_and(|(_, _, ours)| *ours) || self.here().starts_with(FORM)
    }

    fn here(&self) -> &str {
        below_root(&self.path)
    }

    /// Starts the record that an element stands for.
    fn begin(&mut self, element: &BytesStart<'_>) {
        match self.here() {
            RECIPIENT => self.message.recipients.push(Recipient::default()),
            TAB => {
                if let Some(recipient) = self.message.recipients.last_mut() {
                    recipient.tabs.push(Tab::default());
                }
            }
            FIELD => {
                // A field without a name has an entry too, or its value would be its neighbour's.
                if let Some(recipient) = self.message.recipients.last_mut() {
                    recipient.form.push((field_name(element).unwrap_or_default(), None));
                }
            }
            _ => {}
        }
    }

    /// Ends an element: its text, if it had only text, goes to its place. The first of several
    /// elements of one path counts.
    fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        let place = place(&mut self.message, below_root(&self.path));
        if let Some(place) = place.filter(|place| place.is_none()) {
            *place = said(&text);
        }
        if let Some(mark) = self.marks.pop() {
            self.path.truncate(mark);
        }
        let depth = self.marks.len();
        while self.bindings.last().is_some_and(|(declared, ..)| *declared >= depth) {
            self.bindings.pop();
        }
    }

    fn finish(self) -> Result<Message, TranslateFault> {
        if self.rooted && self.marks.is_empty() { Ok(self.message) } else { Err(unparseable("the XML is cut off")) }
    }
}

const RECIPIENT: &str = "/EnvelopeStatus/RecipientStatuses/RecipientStatus";
const TAB: &str = "/EnvelopeStatus/RecipientStatuses/RecipientStatus/TabStatuses/TabStatus";
const FORM: &str = "/EnvelopeStatus/RecipientStatuses/RecipientStatus/FormData";
const FIELD: &str = "/EnvelopeStatus/RecipientStatuses/RecipientStatus/FormData/xfdf/fields/field";

fn below_root(path: &str) -> &str {
    path.strip_prefix('/').and_then(|path| path.strip_prefix(ROOT)).unwrap_or_default()
}

/// Where the text of the element at `path` belongs.
fn place<'m>(message: &'m mut Message, path: &str) -> Option<&'m mut Option<String>> {
    match path {
        "/TimeZoneOffset" => return Some(&mut message.time_zone_offset),
        "/EnvelopeStatus/Status" => return Some(&mut message.status),
        "/EnvelopeStatus/EnvelopeID" => return Some(&mut message.envelope_id),
        "/EnvelopeStatus/TimeGenerated" => return Some(&mut message.time_generated),
        "/EnvelopeStatus/Completed" => return Some(&mut message.completed),
        "/EnvelopeStatus/Voided" => return Some(&mut message.voided),
        "/EnvelopeStatus/Declined" => return Some(&mut message.declined),
        _ => {}
    }
    let recipient = message.recipients.last_mut()?;
    match path.strip_prefix(RECIPIENT)? {
        "/Type" => Some(&mut recipient.kind),
        "/Status" => Some(&mut recipient.status),
        "/RecipientId" => Some(&mut recipient.id),
        "/Signed" => Some(&mut recipient.signed),
        "/TabStatuses/TabStatus/TabLabel" => Some(&mut recipient.tabs.last_mut()?.label),
        "/TabStatuses/TabStatus/TabValue" => Some(&mut recipient.tabs.last_mut()?.value),
        "/TabStatuses/TabStatus/CustomTabType" => Some(&mut recipient.tabs.last_mut()?.custom_kind),
        "/FormData/xfdf/fields/field/value" => Some(&mut recipient.form.last_mut()?.1),
        _ => None,
    }
}

fn field_name(element: &BytesStart<'_>) -> Option<String> {
    let mut attributes = element.attributes();
    let mut named = attributes.with_checks(false).flatten().filter(|attribute| attribute.key.into_inner() == "name");
    said(&unescape(&named.next()?.value).ok()?)
}

use quick_xml::events::Event as Xml;
use serde_json::Value;

use crate::Stream;
use crate::fixtures::options;

/// Every body that is meant to be readable is well-formed in its format.
#[test]
fn bodies_are_forms_json_or_xml() {
    let (mut forms, mut trees, mut documents) = (0, 0, 0);
    for callback in Stream::new(&options(2, 2000)).callbacks() {
        if callback.kind == crate::Kind::Unparseable {
            continue;
        }
        match callback.body.first() {
            Some(b'{') => {
                trees += 1;
                assert!(serde_json::from_slice::<Value>(&callback.body).unwrap().is_object());
            }
            Some(b'<') => {
                documents += 1;
                assert_eq!(root(&callback.body), "DocuSignEnvelopeInformation");
            }
            _ => {
                forms += 1;
                let pairs: Vec<_> = form_urlencoded::parse(&callback.body).collect();
                assert!(pairs.iter().any(|(name, _)| name == "transaction_id"));
                assert!(pairs.iter().all(|(name, _)| name != "signature"));
            }
        }
    }
    assert!(forms > 200 && trees > 500 && documents > 50, "{forms} {trees} {documents}");
}

fn root(body: &[u8]) -> String {
    let mut reader = quick_xml::Reader::from_reader(body);
    let mut root = None;
    loop {
        match reader.read_event().unwrap() {
            Xml::Start(element) => {
                root.get_or_insert_with(|| element.name().as_ref().to_owned());
            }
            Xml::Eof => return root.unwrap(),
            _ => {}
        }
    }
}

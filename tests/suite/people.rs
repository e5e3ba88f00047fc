//! One person is one person, however many callbacks of theirs arrive at once.

use rollbook_tests::{CYBERSOURCE, DOCUSIGN, Options, World, sign};

fn payment(n: usize) -> String {
    format!(
        "transaction_id=71{n:03}&decision=ACCEPT&req_amount=15.00&auth_amount=15.00&req_currency=USD\
         &req_merchant_defined_data1=membership&req_merchant_defined_data2=MU\
         &req_merchant_defined_data3=Grace.Hopper%40Example.org&req_bill_to_forename=Grace&req_bill_to_surname=Hopper\
         &signed_date_time=2026-03-01T12%3A00%3A{:02}Z",
        n % 60
    )
}

fn waiver(n: usize) -> String {
    let document = format!("00000000-0000-4000-8000-{n:012}");
    serde_json::json!({
        "event": "envelope-completed",
        "generatedDateTime": "2026-03-01T12:00:05.0000000Z",
        "configurationId": 7,
        "data": { "accountId": "a", "envelopeId": document, "envelopeSummary": {
            "status": "completed",
            "completedDateTime": "2026-03-01T12:00:04.1230000Z",
            "recipients": { "signers": [ { "recipientId": "1", "tabs": {
                "emailAddressTabs": [ { "tabLabel": "Releasor's Email", "value": " grace.hopper@example.org" } ],
                "fullNameTabs": [ { "tabLabel": "Releasor's Name", "value": "Grace Hopper" } ]
            } } ] }
        } }
    })
    .to_string()
}

#[test]
fn a_hundred_callbacks_at_once_make_one_person() {
    let two_each = Options { extra: "[worker]\nper_processor = 2\n".to_owned(), ..Options::default() };
    let world = World::up(&two_each);
    let start = std::sync::Barrier::new(100);
    std::thread::scope(|scope| {
        for n in 0..50 {
            let (world, start) = (&world, &start);
            scope.spawn(move || {
                let signed = sign("cybersource-secure-acceptance", CYBERSOURCE, payment(n).as_bytes(), "");
                start.wait();
                assert_eq!(world.post("cybersource", &signed).status, 200);
            });
            scope.spawn(move || {
                let signed = sign("docusign-connect", DOCUSIGN, waiver(n).as_bytes(), "");
                start.wait();
                assert_eq!(world.post("docusign", &signed).status, 200);
            });
        }
    });
    world.drain();
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 1);
    let member = world.json(&["members", "show", "grace.hopper@example.org"]);
    assert_eq!(member["memberships"].as_array().unwrap().len(), 50, "two real payments on one day are two terms");
    assert_eq!(member["waivers"].as_array().unwrap().len(), 50);
    assert_eq!(member["person"]["name"], "Grace Hopper");
    world.verified();
}

//! A provider and a queue made for these tests.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, Event, FactKind};
use rollbook_providers::{
    Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault, find,
};
use rollbook_queue::{Message, PublishError, Publisher};
use sha2::Sha256;
use tokio::sync::Semaphore;

pub const SECRET: &str = "toy-secret-of-the-tests";

/// Signs the body with HMAC-SHA256 in `toy-signature` (hex). `toy-time` (Unix seconds, optional)
/// may be 300 s off. A body of `panic` makes its verifier panic.
pub struct Toy {
    pub success: u16,
}

pub static TOY: Toy = Toy { success: 200 };
pub static QUIET_TOY: Toy = Toy { success: 204 };

pub fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Any key: the toy knows its own.
pub fn keys() -> Keys {
    find("stripe").unwrap().keys(&[Secret { key_id: None, text: "whsec_of_the_tests_0123456789".into() }]).unwrap()
}

impl Provider for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &["toy-id", "content-type"]
    }

    fn keys(&self, _: &[Secret]) -> Result<Keys, KeyFault> {
        Ok(keys())
    }

    fn verify(&self, _: &Keys, request: &Request<'_>, now: Timestamp) -> Result<(), SignatureFault> {
        assert_ne!(request.body, b"panic", "the toy panics when told to");
        let presented = request.header("toy-signature").ok_or(SignatureFault::Missing)?;
        let presented = hex::decode(presented).map_err(|_| SignatureFault::Malformed)?;
        if hex::encode(presented) != signature(request.body) {
            return Err(SignatureFault::Mismatch);
        }
        let sent: Option<i64> = request.header("toy-time").map(|text| text.parse().unwrap());
        let skew_s = sent.map_or(0, |sent| now.as_second() - sent);
        if skew_s.abs() > 300 { Err(SignatureFault::Stale { skew_s }) } else { Ok(()) }
    }

    fn delivery_key(&self, request: &Request<'_>) -> Option<String> {
        request.header("toy-id").map(str::to_owned)
    }

    fn translate(&self, _: &Fields, _: &Account, _: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        Ok(Vec::new())
    }

    fn sign(&self, _: &Secret, body: &[u8], _: &str, _: Timestamp) -> Result<Signed, KeyFault> {
        Ok(Signed { headers: vec![("toy-signature".into(), signature(body))], body: body.to_vec() })
    }

    fn success_status(&self) -> u16 {
        self.success
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Fine,
    /// Each publish waits for one [`ToyQueue::let_go`].
    Held,
    Full(Duration),
    Away,
    Panics,
}

pub struct ToyQueue {
    mood: Mutex<Mood>,
    held: Semaphore,
    entered: Semaphore,
    stored: Mutex<Vec<Message>>,
}

impl ToyQueue {
    pub fn new() -> Self {
        Self {
            mood: Mutex::new(Mood::Fine),
            held: Semaphore::new(0),
            entered: Semaphore::new(0),
            stored: Mutex::new(Vec::new()),
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn let_go(&self, publishes: usize) {
        self.held.add_permits(publishes);
    }

    /// Until one more publish has begun.
    pub async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    pub fn stored(&self) -> Vec<Message> {
        self.stored.lock().unwrap().clone()
    }

    /// Until `count` messages are stored.
    pub async fn has_stored(&self, count: usize) {
        while self.stored.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[async_trait]
impl Publisher for ToyQueue {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        let mood = *self.mood.lock().unwrap();
        self.entered.add_permits(1);
        match mood {
            Mood::Fine => {}
            Mood::Held => self.held.acquire().await.unwrap().forget(),
            Mood::Full(retry_after) => return Err(PublishError::Full { detail: "disk".into(), retry_after }),
            Mood::Away => return Err(PublishError::Unavailable("no route to it".into())),
            Mood::Panics => panic!("the toy queue panics when told to"),
        }
        self.stored.lock().unwrap().push(message);
        Ok(())
    }
}

//! The port's suite on the real broker.

use async_trait::async_trait;
use rollbook_queue::Queue;
use rollbook_queue::conformance::{Harness, TestClock};

use super::proxy::Proxy;
use super::{Arc, Broker, Duration, Options, RabbitQueue, Timestamp, names, options};

struct Fleet {
    broker: Broker,
    prefix: String,
    clock: TestClock,
    proxy: Proxy,
    queue: Arc<RabbitQueue>,
}

/// The delays that the suite asks for.
fn levels() -> Vec<Duration> {
    [250, 2_000, 3_000, 5_000].map(Duration::from_millis).to_vec()
}

async fn connect(broker: &Broker, prefix: &str, clock: &TestClock) -> (Proxy, Arc<RabbitQueue>) {
    let proxy = Proxy::to(broker.address()).await;
    let url = broker.url_at(&proxy.address.to_string());
    let (prefix, clock) = (prefix.to_owned(), clock.clock());
    // One case holds two thousand deliveries at once.
    let options = Options { prefix, levels: levels(), clock, prefetch: 2_000, ..options(url) };
    let queue = RabbitQueue::connect(options).await.unwrap();
    (proxy, queue)
}

async fn fleet() -> Fleet {
    let (broker, clock) = (Broker::of_environment(), TestClock::default());
    let prefix = options(String::new()).prefix;
    let (proxy, queue) = connect(&broker, &prefix, &clock).await;
    queue.declare(&names(&["membership", "waiver"])).await.unwrap();
    Fleet { broker, prefix, clock, proxy, queue }
}

#[async_trait]
impl Harness for Fleet {
    fn queue(&self) -> Arc<dyn Queue> {
        Arc::<RabbitQueue>::clone(&self.queue)
    }

    async fn crash(&mut self) {
        self.proxy.cut();
        self.queue.leave();
        (self.proxy, self.queue) = connect(&self.broker, &self.prefix, &self.clock).await;
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A broker's clock runs by itself, and of a level's siblings one is slower by a fifth.
    async fn advance(&mut self, by: Duration) {
        tokio::time::sleep(by + by / 4 + Duration::from_millis(300)).await;
    }

    fn counts_released(&self) -> bool {
        true
    }

    fn tells_every_depth(&self) -> bool {
        false
    }
}

rollbook_queue::queue_conformance!(fleet);

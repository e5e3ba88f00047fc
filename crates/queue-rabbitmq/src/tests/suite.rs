//! The port's suite on the real broker.

use async_trait::async_trait;
use rollbook_queue::Queue;
use rollbook_queue::conformance::{Harness, TestClock};

use super::proxy::Proxy;
use super::{Arc, Broker, Duration, Options, RabbitQueue, Timestamp, names};

/// The delays that the suite asks for.
const LEVELS_MS: [u64; 4] = [250, 2_000, 3_000, 5_000];

struct Fleet {
    clock: TestClock,
    proxy: Proxy,
    queue: Arc<RabbitQueue>,
    prefix: String,
    /// Dropped last.
    broker: Broker,
}

async fn connect(broker: &Broker, prefix: &str, clock: &TestClock) -> (Proxy, Arc<RabbitQueue>) {
    let proxy = Proxy::to(broker.address()).await;
    let urls = vec![broker.url_at(&proxy.address.to_string())];
    // One case holds two thousand deliveries at once.
    let (prefix, levels, prefetch) = (prefix.to_owned(), LEVELS_MS.map(Duration::from_millis).to_vec(), 2_000);
    let options = Options { prefix, levels, prefetch, ..Options::new(urls, clock.clock()) };
    (proxy, RabbitQueue::connect(options).await.unwrap())
}

async fn fleet() -> Fleet {
    let (broker, clock) = (Broker::of_environment(), TestClock::default());
    let prefix = broker.options_with(String::new(), &LEVELS_MS).prefix;
    let (proxy, queue) = connect(&broker, &prefix, &clock).await;
    queue.declare(&names(&["membership", "waiver"])).await.unwrap();
    Fleet { clock, proxy, queue, prefix, broker }
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

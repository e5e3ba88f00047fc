//! Where the demonstration keeps things: in its folder, or on servers under a name of its own, so that
//! nobody's records are touched.

use crate::config::{Resolved, Url};
use crate::exit::Failure;
use crate::wiring::{self, places};

/// Two addresses, and what must be made before and removed after.
pub struct Backends {
    queue: Option<String>,
    store: Option<String>,
    /// Of the queues, with dashes; of the schema, with underscores.
    name: String,
}

impl Backends {
    pub fn new(queue: Option<&str>, store: Option<&str>) -> anyhow::Result<Self> {
        let name = format!("rollbook-demo-{}", hex::encode(wiring::random::<6>()?));
        let elsewhere = |url: &&str| !url.starts_with("sqlite:");
        Ok(Self {
            queue: queue.filter(elsewhere).map(str::to_owned),
            store: store.filter(elsewhere).map(str::to_owned),
            name,
        })
    }

    fn schema(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The lines of the configuration.
    pub fn lines(&self, folder: &str) -> String {
        let file = |name: &str| format!("sqlite:{folder}/{name}");
        let queue = self.queue.clone().unwrap_or_else(|| file("queue.db"));
        let store = self.store.as_ref().map_or_else(|| file("rollbook.db"), |url| within(url, &self.schema()));
        let (queue, store) = (toml::Value::from(queue), toml::Value::from(store));
        format!("[queue]\nurl = {queue}\nprefix = \"{}\"\n\n[store]\nurl = {store}\n", self.name)
    }

    pub async fn prepare(&self) -> Result<(), Failure> {
        if let Some(url) = &self.store {
            places::server(url)?.create_schema(&self.schema()).await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    pub async fn clear(&self, config: &Resolved) -> Result<(), Failure> {
        if self.queue.is_some() {
            places::remove_queues(config).await?;
        }
        if let Some(url) = &self.store {
            places::server(url)?.drop_schema(&self.schema()).await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// For people: where things are, without a password.
    pub fn places(&self) -> String {
        let servers = [&self.queue, &self.store].into_iter().flatten();
        let shown: Vec<String> = servers.map(|url| Url::new(url.as_str()).masked()).collect();
        if shown.is_empty() { String::new() } else { format!(", on {}", shown.join(" and ")) }
    }
}

/// The same database, seen through a schema of its own.
fn within(url: &str, schema: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options[search_path]={schema}")
}

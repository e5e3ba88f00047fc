//! A broker of three nodes loses one of them.

use rollbook_tests::Servers;

use super::scene::Scene;

#[test]
fn a_node_is_killed_and_nothing_is_lost() {
    let servers = Servers::start(&["postgres", "rabbitmq:3"]);
    let mut scene = Scene::begin(&servers, "one of three RabbitMQ nodes killed");
    // The first one: everybody is connected to it, and it leads the queues.
    servers.halt("rabbitmq", "KILL");
    scene.resumes();
    scene.wait_acked(240);
    servers.resume("rabbitmq");
    scene.resumes();
    scene.end();
}

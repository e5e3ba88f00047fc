//! A broker of three nodes loses one of them.

use rollbook_tests::Servers;

use super::scene::Scene;

#[test]
fn a_node_is_killed_and_nothing_is_lost() {
    let servers = Servers::start(&["postgres", "rabbitmq:3"]);
    let mut scene = Scene::begin(&servers, "each of three RabbitMQ nodes killed");
    // One after another, so that whatever led a queue or had our connections was killed, too.
    for node in ["rabbitmq", "rabbitmq2", "rabbitmq3"] {
        servers.halt(node, "KILL");
        scene.resumes();
        scene.wait_acked(160);
        servers.resume(node);
        scene.resumes();
    }
    scene.end();
}

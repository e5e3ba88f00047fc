//! Any requests, with any commands that the store will not take.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;

/// What must be committed: everything in its order, but nothing of a request from its first sick
/// command on.
fn expected(requests: &[Vec<String>], sick: &HashSet<TransactionId>) -> Vec<TransactionId> {
    let lawful = |names: &Vec<String>| ids(names).into_iter().take_while(|id| !sick.contains(id)).collect::<Vec<_>>();
    requests.iter().flat_map(lawful).collect()
}

fn scenario() -> impl Strategy<Value = (Vec<Vec<String>>, Vec<String>, usize, bool)> {
    (prop::collection::vec(1..6_usize, 1..30), any::<bool>(), 1..80_usize).prop_flat_map(|(lengths, beaten, most)| {
        let requests: Vec<Vec<String>> =
            lengths.iter().enumerate().map(|(n, length)| names(&format!("{n}-"), *length)).collect();
        let all = requests.concat();
        let sick = 0..=all.len().min(8);
        (Just(requests), subsequence(all, sick), Just(most), Just(beaten))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sick_commands_cost_their_own_requests_alone((requests, sick, most, beaten) in scenario()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let ledger = FakeLedger::new();
            let teller = ledger.teller(Options { batch_max: most, ..Options::default() });
            let sick: HashSet<_> = ids(&sick).into_iter().collect();
            ledger.script(|script| *(if beaten { &mut script.beaten } else { &mut script.refused }) = sick.clone());
            let commands = requests.iter().map(|names| names.iter().map(|name| award(name)).collect()).collect();
            let results = behind(&ledger, &teller, commands).await;
            for (names, result) in requests.iter().zip(results) {
                let told = result.map(|answers| answers.iter().map(|answer| answer.id).collect::<Vec<_>>());
                let well = ids(names).iter().all(|id| !sick.contains(id));
                assert_eq!(told.ok(), well.then(|| ids(names)));
            }
            // A request that is cut into several goes to the back of the line for each.
            if requests.iter().all(|names| names.len() <= most) {
                assert_eq!(ledger.record()[1..], expected(&requests, &sick));
            }
        });
    }
}

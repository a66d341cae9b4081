//! Gifts listed in pages: part of the suite that every store must pass.

use super::*;

/// Ids of all gifts in a state, read in pages.
async fn paged(store: &dyn Store, state: Option<State>, order: Order) -> Vec<String> {
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = Page {
            state,
            order,
            after,
            limit: 3,
        };
        let listed = store.list(&stream(), page).await.unwrap();
        let Some(last) = listed.last() else {
            return seen;
        };
        after = last.serial;
        assert!(listed.len() <= 3);
        seen.extend(listed.iter().map(|it| it.gift.to_string()));
    }
}

pub(super) async fn lists_are_pages_in_order(bench: &dyn Bench) {
    let (store, _, _) = open(bench).await;
    for id in 0..7 {
        accept(&*store, gift(&id.to_string())).await;
    }
    for (order, expected) in [
        (Order::Oldest, ["0", "1", "2", "3", "4", "5", "6"]),
        (Order::Latest, ["6", "5", "4", "3", "2", "1", "0"]),
    ] {
        for state in [Some(State::Unacked), None] {
            assert_eq!(paged(&*store, state, order).await, expected);
        }
    }
}

pub(super) async fn lists_of_every_state_are_pages_in_the_order_of_the_gifts(bench: &dyn Bench) {
    let (store, _, _) = open(bench).await;
    for id in 10..40 {
        accept(&*store, gift(&id.to_string())).await;
    }
    // They end in another order than they came.
    let ended = (10..40).rev().filter(|id| id % 5 != 0).map(|id| Ended {
        gift: id.to_string().into(),
        ending: match id % 5 {
            1 | 2 => Ending::Parked,
            3 => Ending::Failed("no".into()),
            _ => Ending::Rendered,
        },
    });
    store.end(&stream(), ended.collect(), now()).await;
    store.flush().await;
    for id in (10..40).filter(|id| id % 5 == 2) {
        end(&*store, &id.to_string(), Ending::Rendered).await;
    }
    store.flush().await;
    let of = |rests: &[u32]| -> Vec<String> {
        let ids = (10..40).filter(|id| rests.contains(&(id % 5)));
        ids.map(|id| id.to_string()).collect()
    };
    for (state, rests) in [
        (Some(State::Unacked), &[0][..]),
        (Some(State::Parked), &[1]),
        (Some(State::Failed), &[3]),
        (Some(State::Rendered), &[2, 4]),
        (None, &[0, 1, 2, 3, 4]),
    ] {
        let mut expected = of(rests);
        let oldest = paged(&*store, state, Order::Oldest).await;
        assert_eq!(oldest, expected, "{state:?}");
        expected.reverse();
        let latest = paged(&*store, state, Order::Latest).await;
        assert_eq!(latest, expected, "{state:?}");
    }
}

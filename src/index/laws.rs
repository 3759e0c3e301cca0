//! Laws of the room as a whole: what is added is found, what is replaced or removed is not, and no
//! change of the files goes unseen.

use super::testing::*;
use super::*;
use crate::domain::{ConversationNo, Scope};
use crate::query::Node;

fn everything() -> Scope {
    Scope::everything()
}

#[test]
fn s10_what_is_added_is_found_and_counted_exactly() {
    let texts = [
        "deal at noon",
        "no deal",
        "noon it is",
        "Déjà vu",
        "deal deal deal",
    ];
    let messages: Vec<Message> = (1..)
        .zip(texts)
        .map(|(no, text)| Message::new(no, text))
        .collect();
    let (_world, index) = World::with(&[messages[..2].to_vec(), messages[2..].to_vec()]);
    let find = |root| hits(&index, root, &everything());
    assert_eq!(find(word("deal")), [1, 2, 5]);
    assert_eq!(find(word("DEJA")), [4]);
    assert_eq!(find(Node::And(vec![word("deal"), word("noon")])), [1]);
    assert_eq!(find(Node::Or(vec![word("vu"), word("no")])), [2, 4]);
    assert_eq!(find(Node::Not(Box::new(word("deal")))), [3, 4]);
    let not = Node::Not(Box::new(word("noon")));
    assert_eq!(find(Node::And(vec![word("deal"), not])), [2, 5]);
    assert_eq!(find(Node::Everything), [1, 2, 3, 4, 5]);
    assert_eq!(find(Node::Nothing), [] as [u64; 0]);
}

#[test]
fn s14_nothing_outside_the_scope_is_found_or_counted() {
    let mut messages: Vec<Message> = (1..=30).map(|no| Message::new(no, "deal")).collect();
    for message in &mut messages {
        message.conversation = message.no as u32 % 3;
        message.account = (message.no % 5 == 0).then_some(7);
    }
    let (_world, index) = World::with(&[messages.clone()]);
    let mut scope = Scope::nothing();
    assert!(hits(&index, word("deal"), &scope).is_empty());
    scope.conversations.insert(ConversationNo(1));
    scope.accounts.insert(crate::domain::AccountNo(7));
    scope.denied.insert(ConversationNo(2));
    let inside = |message: &&Message| {
        let account = message.account.map(crate::domain::AccountNo);
        scope.allows(ConversationNo(message.conversation), account)
    };
    let expected: Vec<u64> = messages
        .iter()
        .filter(inside)
        .map(|message| message.no)
        .collect();
    assert_eq!(hits(&index, word("deal"), &scope), expected);
}

#[test]
fn a_replaced_message_is_found_by_its_new_words_alone() {
    let (mut world, index) =
        World::with(&[vec![Message::new(1, "old words"), Message::new(2, "x")]]);
    let mut writer = index.writer();
    let mut message = Message::new(1, "new words");
    let novelty = Novelty::Replaces(crate::domain::Timestamp(message.sent));
    add(&mut writer, &message, novelty);
    message.versions = vec!["newer words".to_owned()];
    add(&mut writer, &message, novelty);
    add(&mut writer, &Message::new(3, "words"), Novelty::New);
    let committed = writer.commit_all().unwrap();
    world.settle(committed);
    let find = |root| hits(&index, root, &everything());
    assert_eq!(find(word("words")), [1, 3]);
    assert_eq!(find(word("old")), [] as [u64; 0]);
    assert_eq!(find(word("new")), [] as [u64; 0]);
    assert_eq!(find(word("newer")), [1]);
    writer
        .delete(
            crate::domain::MessageNo(3),
            crate::domain::Timestamp(Message::new(3, "").sent),
        )
        .unwrap();
    add(&mut writer, &Message::new(4, "words"), Novelty::New);
    writer.commit_all().unwrap();
    assert_eq!(find(word("words")), [1, 4]);
}

#[test]
fn an_index_opens_again_as_it_was() {
    let messages: Vec<Message> = (1..=50).map(|no| Message::new(no, "deal")).collect();
    let (world, index) = World::with(&[messages[..20].to_vec(), messages[20..].to_vec()]);
    drop(index);
    let opened = world.open_with(99);
    assert!(opened.refused.is_empty(), "{:?}", opened.refused);
    assert!(opened.ahead.is_empty());
    assert_eq!(hits(&opened.index, word("deal"), &everything()).len(), 50);
}

#[test]
fn s10_pages_in_every_order_join_to_the_whole_without_gap_or_repeat() {
    let messages: Vec<Message> = (1..=60)
        .map(|no| {
            let mut message = Message::new(no, &"deal ".repeat(1 + no as usize % 4));
            // Equal times, over two years.
            message.sent = 1_703_900_000_000_000 + (no as i64 / 7) * 86_400_000_000;
            message
        })
        .collect();
    let (_world, index) = World::with(&[messages[..33].to_vec(), messages[33..].to_vec()]);
    assert_eq!(index.parts().len(), 2);
    for order in [Order::Newest, Order::Oldest, Order::Best] {
        let query = resolved(word("deal"));
        let whole = index
            .search(&query, &everything(), Page::first(order, usize::MAX))
            .unwrap();
        assert_eq!(whole.total, 60);
        assert_eq!(whole.hits.len(), 60);
        let mut paged: Vec<Hit> = Vec::new();
        loop {
            let mut page = Page::first(order, 7);
            page.after = paged.last().copied().map(Cursor::from);
            let answer = index.search(&query, &everything(), page).unwrap();
            assert_eq!(answer.total, 60);
            if answer.hits.is_empty() {
                break;
            }
            paged.extend(answer.hits);
        }
        assert_eq!(paged, whole.hits, "{order:?}");
        let sorted = match order {
            Order::Newest => whole
                .hits
                .is_sorted_by_key(|hit| std::cmp::Reverse((hit.sent, hit.no))),
            Order::Oldest => whole.hits.is_sorted_by_key(|hit| (hit.sent, hit.no)),
            Order::Best => whole.hits.is_sorted_by(|a, b| a.score >= b.score),
        };
        assert!(sorted, "{order:?}");
    }
}

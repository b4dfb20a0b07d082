//! What the adapter costs: what it copies, how much it holds, and when it yields.

use super::*;

#[test]
fn a_bomb_is_refused_without_its_contents() {
    let bomb = deflate(&vec![0; 30 << 20], 9);
    assert!(bomb.len() < MAX);
    let mut session = Session::new(chunks(&frame(FIN | BINARY | RSV1, &bomb, [1; 4]), 1 << 20), true);
    assert_eq!(session.all(), [Seen::TooLarge]);
    assert!(session.buffered_max < 100);
}

#[test]
fn a_flood_of_bombs_lets_others_have_their_turn_and_never_piles_up() {
    let bomb = frame(FIN | BINARY | RSV1, &deflate(&vec![0; MAX], 9), [1; 4]);
    let mut session = Session::new(chunks(&bomb.repeat(100), usize::MAX), true);
    let (mut messages, mut turns) = (0, 0);
    loop {
        match session.poll() {
            Poll::Ready(Some(Seen::Binary(bytes))) => messages += usize::from(bytes.len() == MAX),
            Poll::Ready(Some(other)) => panic!("{other:?}"),
            Poll::Ready(None) => break,
            Poll::Pending => turns += 1,
        }
    }
    assert_eq!(messages, 100);
    assert!(turns >= 40, "it gave way only {turns} times");
    assert!(session.buffered_max <= MAX + 14, "{} bytes waited", session.buffered_max);
}

#[test]
fn a_lone_frame_passes_uncopied_and_wakes_nobody() {
    let received = Bytes::from(frame(FIN | TEXT, b"hello", [1; 4]));
    let pointer = received.as_ptr();
    let mut inbound = Inbound::new(stream::StreamExt::chain(stream::iter([Ok(received)]), stream::pending()), false, MAX);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let Poll::Ready(Some(Ok(passed))) = Pin::new(&mut inbound).poll_next(&mut context) else { panic!("nothing passed") };
    assert_eq!(passed.as_ptr(), pointer);
    assert!(Pin::new(&mut inbound).poll_next(&mut context).is_pending());
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
}

use crate::shield::shield;

#[test]
fn a_panic_ends_at_the_boundary_and_so_does_all_work() {
    assert_eq!(shield("a test", 1, || 2), 2);
    assert_eq!(shield("a test", 1, || panic!("on purpose")), 1);
    assert_eq!(shield("a test", 1, || 2), 1, "nothing is done afterwards");
}

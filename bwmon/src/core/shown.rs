//! What readers were last shown, which they go on sharing as long as it is the same.

use std::sync::Arc;

/// One thing as it is shown. It is made anew only when it may have changed, and is another one only
/// when it has.
#[derive(Clone, Debug)]
pub(super) struct Shown<T: ?Sized> {
    last: Option<Arc<T>>,
    may_differ: bool,
}

impl<T: ?Sized> Shown<T> {
    /// It may have changed.
    pub(super) fn expire(&mut self) {
        self.may_differ = true;
    }

    /// The last one, however old.
    pub(super) fn last(&self) -> Option<&Arc<T>> {
        self.last.as_ref()
    }

    fn refresh(&mut self, make: impl FnOnce() -> Arc<T>, same: fn(&T, &T) -> bool) -> Arc<T> {
        if let Some(last) = &self.last
            && !self.may_differ
        {
            return Arc::clone(last);
        }
        self.may_differ = false;
        let new = make();
        match &self.last {
            Some(last) if same(last, &new) => Arc::clone(last),
            _ => Arc::clone(self.last.insert(new)),
        }
    }
}

impl<T: PartialEq> Shown<T> {
    /// As it is now.
    pub(super) fn now(&mut self, make: impl FnOnce() -> T) -> Arc<T> {
        self.refresh(|| Arc::new(make()), T::eq)
    }
}

impl<T> Shown<[Arc<T>]> {
    /// The list as it is now: the same one while its items are.
    pub(super) fn list(&mut self, make: impl FnOnce() -> Arc<[Arc<T>]>) -> Arc<[Arc<T>]> {
        self.refresh(make, |last, new| {
            last.len() == new.len() && last.iter().zip(new).all(|(a, b)| Arc::ptr_eq(a, b))
        })
    }
}

impl<T: ?Sized> Default for Shown<T> {
    fn default() -> Self {
        Self {
            last: None,
            may_differ: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_stays_the_same_one() {
        let mut shown = Shown::default();
        let first = shown.now(|| 1);
        assert_eq!(*shown.now(|| 2), 1, "nothing can have changed");
        shown.expire();
        assert!(Arc::ptr_eq(&first, &shown.now(|| 1)));
        shown.expire();
        assert_eq!(*shown.now(|| 2), 2);
    }

    #[test]
    fn a_list_is_the_same_while_its_items_are() {
        let mut shown = Shown::default();
        let (a, b) = (Arc::new(1), Arc::new(2));
        let first = shown.list(|| [&a, &b].map(Arc::clone).into());
        let mut next = |items: [&Arc<i32>; 2]| {
            shown.expire();
            shown.list(|| items.map(Arc::clone).into())
        };
        assert!(Arc::ptr_eq(&first, &next([&a, &b])));
        assert!(!Arc::ptr_eq(&first, &next([&a, &Arc::new(2)])));
    }
}

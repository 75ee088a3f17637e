//! A list that mostly has one element or none: the first lies in the list itself, and takes no memory of its own.

use alloc::vec::Vec;

/// A list that mostly has one element or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few { first: None, others: Vec::new() }
    }
}

impl<T> Few<T> {
    /// Adds an element behind the others.
    #[inline]
    pub fn push(&mut self, element: T) {
        if self.first.is_none() {
            self.first = Some(element);
        } else {
            self.others.push(element);
        }
    }

    /// The first element.
    #[inline]
    pub fn first(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// How many elements it has.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// Whether it has none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Its elements in order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.first.iter().chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_order() {
        let mut few = Few::default();
        assert_eq!((few.len(), few.is_empty(), few.first()), (0, true, None));
        for number in 0..4 {
            few.push(number);
            assert_eq!((few.len(), few.is_empty(), few.first()), (number + 1, false, Some(&0)));
            assert!(few.iter().copied().eq(0..=number));
        }
        assert!(few.iter().rev().eq(&[3, 2, 1, 0]));
    }
}

//! Bytes as a row of choices: what is drawn of them is always something, and nothing once they are used up.

/// What is left of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'data>(&'data [u8]);

impl<'data> Input<'data> {
    pub(crate) const fn new(data: &'data [u8]) -> Self {
        Self(data)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let length = self.0.len().min(N);
        let (taken, rest) = self.0.split_at(length);
        array[..length].copy_from_slice(taken);
        self.0 = rest;
        array
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(crate) fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.array())
    }

    pub(crate) fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.array())
    }

    /// Every second time on average.
    pub(crate) fn coin(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Both ends included.
    pub(crate) fn within(&mut self, low: u32, high: u32) -> u32 {
        low + self.u32() % (high - low + 1)
    }

    /// Likewise, of two bytes: millimetres, thousandths, milliseconds.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u32::try_from(high - low).unwrap() + 1;
        low + i32::try_from(u32::from(self.u16()) % span).unwrap()
    }

    /// So many bytes as the next two say, as far as they are there.
    pub(crate) fn block(&mut self) -> &'data [u8] {
        let length = usize::from(self.u16()).min(self.0.len());
        let (block, rest) = self.0.split_at(length);
        self.0 = rest;
        block
    }

    pub(crate) const fn rest(self) -> &'data [u8] {
        self.0
    }
}

/// A block as [`Input::block`] reads it: for seeds.
pub(crate) fn block(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_le_bytes(), bytes].concat()
}

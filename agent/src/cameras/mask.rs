//! What of a camera's pictures never leaves the robot: covered before anything else sees them, encoder and stills included.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    frame::{Frame, Planes},
    shoot::Eye,
};

/// Corners of a convex mask, in thousandths of the picture's width and height from its top left.
pub type Outline = Vec<[u16; 2]>;

/// All of the picture.
pub const EVERYTHING: [[u16; 2]; 4] = [[0, 0], [1_000, 0], [1_000, 1_000], [0, 1_000]];

/// What is covered is two greys in diagonal stripes: nobody takes it for a wall.
const STRIPES: [u8; 2] = [38, 62];
const STRIPE_PIXELS: usize = 8;
const NO_COLOUR: u8 = 128;

/// Before a camera while the robot is where that one shows nothing. Drawn until it is known where it is.
#[derive(Debug, Clone)]
pub struct Veil(Arc<AtomicBool>);

impl Default for Veil {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Veil {
    /// Draws it, or opens it.
    pub fn draw(&self, is_drawn: bool) {
        self.0.store(is_drawn, Ordering::Release);
    }

    fn is_drawn(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// An eye behind masks, and a veil.
#[derive(Debug)]
pub struct Masked<E> {
    eye: E,
    masks: Vec<Outline>,
    veil: Option<Veil>,
    /// For the size that pictures had last: row, first pixel, and the one after the last.
    spans: Vec<(usize, usize, usize)>,
    size: (usize, usize),
}

impl<E> Masked<E> {
    /// Covers these parts of whatever `eye` sees, and all of it while the veil is drawn.
    pub const fn new(eye: E, masks: Vec<Outline>, veil: Option<Veil>) -> Self {
        Self {
            eye,
            masks,
            veil,
            spans: Vec::new(),
            size: (0, 0),
        }
    }
}

impl<E: Eye> Eye for Masked<E> {
    fn look(&mut self, frame: &mut Frame) {
        let size = (frame.width(), frame.height());
        // It does not even look.
        if self.veil.as_ref().is_some_and(Veil::is_drawn) {
            return cover(frame, (0..size.1).map(|row| (row, 0, size.0)));
        }
        self.eye.look(frame);
        if self.masks.is_empty() {
            return;
        }
        if size != self.size {
            self.size = size;
            self.spans = self
                .masks
                .iter()
                .flat_map(|mask| spans(mask, size))
                .collect();
        }
        cover(frame, self.spans.iter().copied());
    }
}

fn cover(frame: &mut Frame, spans: impl Iterator<Item = (usize, usize, usize)>) {
    let width = frame.width();
    let Planes { luma, blue, red } = frame.planes();
    for (row, from, to) in spans {
        let stripe = |column: usize| (column + row) / STRIPE_PIXELS % STRIPES.len();
        let line = &mut luma[row * width..(row + 1) * width];
        for (column, pixel) in line.iter_mut().enumerate().take(to).skip(from) {
            *pixel = STRIPES[stripe(column)];
        }
        // Four pixels share a colour: one that is covered takes it from all of them.
        let chroma = (row / 2) * (width / 2);
        let (from, to) = (chroma + from / 2, chroma + to.div_ceil(2));
        blue[from..to].fill(NO_COLOUR);
        red[from..to].fill(NO_COLOUR);
    }
}

/// The pixels of each row that a mask touches: rather one more than one less.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels of a picture; below nothing is cut off first"
)]
fn spans(mask: &[[u16; 2]], (width, height): (usize, usize)) -> Vec<(usize, usize, usize)> {
    let corner = |index: usize| {
        let [across, down] = mask[index % mask.len()];
        (
            f64::from(across) / 1_000.0 * width as f64,
            f64::from(down) / 1_000.0 * height as f64,
        )
    };
    let span = |row: usize| {
        let (top, bottom) = (row as f64, row as f64 + 1.0);
        let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
        for index in 0..mask.len() {
            let ((from_x, from_y), (to_x, to_y)) = (corner(index), corner(index + 1));
            let (low, high) = (from_y.min(to_y).max(top), from_y.max(to_y).min(bottom));
            if low > high {
                continue;
            }
            let at = |y: f64| {
                if (to_y - from_y).abs() < f64::EPSILON {
                    [from_x, to_x]
                } else {
                    let x = from_x + (to_x - from_x) * (y - from_y) / (to_y - from_y);
                    [x, x]
                }
            };
            for x in at(low).into_iter().chain(at(high)) {
                left = left.min(x);
                right = right.max(x);
            }
        }
        let (from, to) = (left.floor().max(0.0), right.ceil().min(width as f64));
        (from < to).then_some((row, from as usize, to as usize))
    };
    (0..height).filter_map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sees nothing but white and red.
    struct Bright;

    impl Eye for Bright {
        fn look(&mut self, frame: &mut Frame) {
            let Planes { luma, blue, red } = frame.planes();
            luma.fill(235);
            blue.fill(90);
            red.fill(240);
        }
    }

    fn seen(masks: &[&[[u16; 2]]]) -> Frame {
        let masks = masks.iter().map(|mask| mask.to_vec()).collect();
        let mut frame = Frame::new(64, 48);
        Masked::new(Bright, masks, None).look(&mut frame);
        frame
    }

    fn is_covered(frame: &Frame, x: usize, y: usize) -> bool {
        let [luma, blue, red] = frame.sample(x, y);
        STRIPES.contains(&luma) && blue == NO_COLOUR && red == NO_COLOUR
    }

    #[test]
    fn nothing_of_what_lies_under_a_mask_is_in_the_picture() {
        // A triangle over the lower left half.
        let frame = seen(&[&[[0, 0], [0, 1_000], [1_000, 1_000]]]);
        for y in 0..48 {
            for x in 0..64 {
                let is_under = (x + 1) * 48 <= (y + 1) * 64;
                if is_under {
                    assert!(is_covered(&frame, x, y), "{x}, {y}");
                }
            }
        }
        assert!(!is_covered(&frame, 63, 0));
        assert_eq!(frame.sample(60, 2), [235, 90, 240]);
    }

    #[test]
    fn a_mask_over_everything_leaves_nothing_and_none_leaves_all() {
        let all = seen(&[&EVERYTHING]);
        let none = seen(&[]);
        for y in 0..48 {
            for x in 0..64 {
                assert!(is_covered(&all, x, y), "{x}, {y}");
                assert_eq!(none.sample(x, y), [235, 90, 240]);
            }
        }
    }

    #[test]
    fn two_masks_cover_both_and_leave_what_is_between() {
        let frame = seen(&[
            &[[0, 0], [200, 0], [200, 1_000], [0, 1_000]],
            &[[800, 0], [1_000, 0], [1_000, 1_000], [800, 1_000]],
        ]);

        assert!(is_covered(&frame, 2, 20) && is_covered(&frame, 62, 20));
        assert!(!is_covered(&frame, 32, 20));
    }

    #[test]
    fn nothing_at_all_is_seen_while_the_veil_is_drawn_and_until_it_is_known_where_the_robot_is() {
        let veil = Veil::default();
        let mut eye = Masked::new(Bright, Vec::new(), Some(veil.clone()));
        let mut shoot = || {
            let mut frame = Frame::new(64, 48);
            eye.look(&mut frame);
            let pixels = (0..48).flat_map(|y| (0..64).map(move |x| (x, y)));
            pixels.filter(|(x, y)| is_covered(&frame, *x, *y)).count()
        };

        assert_eq!(shoot(), 64 * 48);
        veil.draw(false);
        assert_eq!(shoot(), 0);
        veil.draw(true);
        assert_eq!(shoot(), 64 * 48);
    }
}

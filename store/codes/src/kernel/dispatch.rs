//! Which instruction sets there are here, and the jump to the right one.
//!
//! Every instruction set gets its own copy of the algorithms, compiled with its features
//! enabled, by the macro `entries`. On x86-64 the processor is asked once. A WebAssembly artifact
//! holds one copy only; tests hold all that can run.
//!
//! A macro, because `target_feature` stands on a function with its list written out: a generic
//! function cannot have another list for each type.
//!
//! What it must never do: hand out an `Isa` that the processor was not found to have. Every
//! `unsafe` call of the kernels rests on that.

use super::algorithm::{self, Batch, Counted, Floats, Kind, Products};
use crate::SketchQuery;

/// Compiles the algorithms for one instruction set: a module with one function a distance.
///
/// `$blocks` is how many of its `Bits` make 512 dimensions, the length that is unrolled.
macro_rules! entries {
    ($module:ident, $vector:ty, $blocks:literal $(, $features:literal)?) => {
        /// # Safety
        ///
        /// For all: the processor has the features, and the batch was made for codes as long as
        /// the query.
        mod $module {
            use super::*;

            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn floats(
                q: &[f32],
                kind: Kind,
                batch: Batch<'_>,
                out: &mut [f32],
            ) {
                // SAFETY: the caller's promises.
                unsafe { batch.run(&Floats::<$vector>::new(q, kind), out) }
            }

            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn words(q: &[i16], batch: Batch<'_>, out: &mut [i32]) {
                // SAFETY: the caller's promises.
                unsafe { batch.run(&Products::<$vector, i16>::new(q), out) }
            }

            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn bytes(q: &[i8], batch: Batch<'_>, out: &mut [i32]) {
                // SAFETY: the caller's promises.
                unsafe { batch.run(&Products::<$vector, i8>::new(q), out) }
            }

            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn short(planes: &[u8], batch: Batch<'_>, out: &mut [i32]) {
                // SAFETY: the caller's promises.
                unsafe { batch.run(&Counted::<$vector, $blocks>::new(planes), out) }
            }

            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn sketch(q: &SketchQuery, blocks: &[u8], out: &mut [f32]) {
                // SAFETY: the caller's promise.
                unsafe { algorithm::sketch::<$vector>(q, blocks, out) }
            }
        }
    };
}

/// Declares the instruction sets of this target, and the functions that jump to them.
macro_rules! instruction_sets {
    ($($(#[$only:meta])* $isa:ident = $module:ident, $name:literal;)*) => {
        /// The instruction sets compiled for this target. A value of a variant other than
        /// `Scalar` exists only where the processor was found to have it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::kernel) enum Isa {
            $($(#[$only])* $isa,)*
        }

        impl Isa {
            /// All of them, best last.
            const ALL: &[Isa] = &[$($(#[$only])* Isa::$isa,)*];

            /// The best that this machine has.
            pub(in crate::kernel) fn detect() -> Self {
                Isa::ALL[Isa::count() - 1]
            }

            /// The first: plain Rust, except in a WebAssembly artifact, which has one only.
            pub(in crate::kernel) fn generic() -> Self {
                Isa::ALL[0]
            }

            /// Those that this machine has, best last.
            pub(in crate::kernel) fn available() -> impl Iterator<Item = Isa> {
                Isa::ALL[..Isa::count()].iter().copied()
            }

            pub(in crate::kernel) fn name(self) -> &'static str {
                match self {
                    $($(#[$only])* Isa::$isa => $name,)*
                }
            }
        }

        pub(in crate::kernel) fn floats(
            isa: Isa,
            q: &[f32],
            kind: Kind,
            batch: Batch<'_>,
            out: &mut [f32],
        ) {
            match isa {
                // SAFETY: an `Isa` is made only where the processor has it; `Kernels` makes
                // batches for codes as long as the query.
                $($(#[$only])* Isa::$isa => unsafe { $module::floats(q, kind, batch, out) },)*
            }
        }

        pub(in crate::kernel) fn words(isa: Isa, q: &[i16], batch: Batch<'_>, out: &mut [i32]) {
            match isa {
                // SAFETY: as in `floats`.
                $($(#[$only])* Isa::$isa => unsafe { $module::words(q, batch, out) },)*
            }
        }

        pub(in crate::kernel) fn bytes(isa: Isa, q: &[i8], batch: Batch<'_>, out: &mut [i32]) {
            match isa {
                // SAFETY: as in `floats`.
                $($(#[$only])* Isa::$isa => unsafe { $module::bytes(q, batch, out) },)*
            }
        }

        pub(in crate::kernel) fn short(isa: Isa, planes: &[u8], batch: Batch<'_>, out: &mut [i32]) {
            match isa {
                // SAFETY: as in `floats`.
                $($(#[$only])* Isa::$isa => unsafe { $module::short(planes, batch, out) },)*
            }
        }

        pub(in crate::kernel) fn sketch(
            isa: Isa,
            q: &SketchQuery,
            blocks: &[u8],
            out: &mut [f32],
        ) {
            match isa {
                // SAFETY: as in `floats`.
                $($(#[$only])* Isa::$isa => unsafe { $module::sketch(q, blocks, out) },)*
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod sets {
    use super::*;
    use crate::kernel::{avx2::Avx2, avx512::Avx512, scalar::Scalar};
    use core::sync::atomic::{AtomicU8, Ordering};

    entries!(scalar, Scalar, 8);
    entries!(avx2, Avx2, 2, "avx2");
    entries!(avx512, Avx512<false>, 1, "avx2,avx512f,avx512bw,avx512vl");
    entries!(avx512vnni, Avx512<true>, 1, "avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512bitalg");

    instruction_sets! {
        Scalar = scalar, "scalar";
        Avx2 = avx2, "avx2";
        Avx512 = avx512, "avx512";
        Avx512Vnni = avx512vnni, "avx512vnni";
    }

    cpufeatures::new!(has_avx2, "avx2");
    cpufeatures::new!(has_avx512, "avx2", "avx512f", "avx512bw", "avx512vl");
    cpufeatures::new!(has_bitalg, "avx512bitalg");

    /// Whether the processor has VNNI on 64-byte registers, which `cpufeatures` does not know:
    /// bit 11 of ECX of leaf 7. Asked only after `has_avx512`, so the leaf exists.
    fn has_vnni() -> bool {
        core::arch::x86_64::__cpuid_count(7, 0).ecx & (1 << 11) != 0
    }

    impl Isa {
        /// How many of [`Isa::ALL`] this machine has: each needs those before it.
        fn count() -> usize {
            // Asking is slow, thousands of cycles in a virtual machine: the answer is kept.
            static COUNT: AtomicU8 = AtomicU8::new(0);
            match COUNT.load(Ordering::Relaxed) {
                0 => {
                    let count = match () {
                        () if !has_avx2::get() => 1,
                        () if !has_avx512::get() => 2,
                        () if !has_bitalg::get() || !has_vnni() => 3,
                        () => 4,
                    };
                    COUNT.store(count, Ordering::Relaxed);
                    usize::from(count)
                }
                count => usize::from(count),
            }
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod sets {
    use super::*;
    #[cfg(target_feature = "relaxed-simd")]
    use crate::kernel::relaxed::Relaxed;
    #[cfg(any(test, not(target_feature = "simd128")))]
    use crate::kernel::scalar::Scalar;
    #[cfg(all(target_feature = "simd128", any(test, not(target_feature = "relaxed-simd"))))]
    use crate::kernel::simd128::Simd128;

    #[cfg(any(test, not(target_feature = "simd128")))]
    entries!(scalar, Scalar, 8);
    #[cfg(all(target_feature = "simd128", any(test, not(target_feature = "relaxed-simd"))))]
    entries!(simd128, Simd128, 4);
    #[cfg(target_feature = "relaxed-simd")]
    entries!(relaxed, Relaxed, 4);

    instruction_sets! {
        #[cfg(any(test, not(target_feature = "simd128")))]
        Scalar = scalar, "scalar";
        #[cfg(all(target_feature = "simd128", any(test, not(target_feature = "relaxed-simd"))))]
        Simd128 = simd128, "simd128";
        #[cfg(target_feature = "relaxed-simd")]
        Relaxed = relaxed, "relaxed";
    }

    impl Isa {
        /// The module would not have loaded if the engine lacked one of them.
        fn count() -> usize {
            Isa::ALL.len()
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
mod sets {
    use super::*;
    use crate::kernel::scalar::Scalar;

    entries!(scalar, Scalar, 8);

    instruction_sets! {
        Scalar = scalar, "scalar";
    }

    impl Isa {
        fn count() -> usize {
            1
        }
    }
}

pub(super) use sets::{Isa, bytes, floats, short, sketch, words};

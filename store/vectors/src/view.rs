//! The image as bytes, to read ([`View`]) and to change ([`Edit`]): its sections and their entries.
//!
//! What a call does to an image is written for these two, so that it is compiled once, whatever
//! the buffer is, and not inlined into each caller.
//!
//! An entry outside its section reads as nothing, and a write there does nothing. Neither happens
//! in an image that was created or opened.
//!
//! What it must never do: let a call that changed a byte end with the seal on. Writes do not
//! take it off by themselves: each call does, once.

use bytemuck::AnyBitPattern;
use clawft_codes::Kernels;
use clawft_hnsw::Graph;

use crate::header::{self, Field, HEADER};
use crate::ids::{self, Ids};
use crate::layout::Section;
use crate::scratch::Scratch;
use crate::tier_policy::Tier;
use crate::{Error, Layout, query};

/// An image to read.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) kernels: Kernels,
    pub(crate) layout: &'a Layout,
    /// The header and the graph; empty while the graph is being changed.
    pub(crate) head: &'a [u8],
    graph: &'a [u8],
    /// All other sections.
    tail: &'a [u8],
}

/// An image to change.
pub(crate) struct Edit<'a> {
    pub(crate) kernels: Kernels,
    pub(crate) layout: &'a Layout,
    /// The tier that vectors come into, where it has room.
    pub(crate) arrival: Tier,
    pub(crate) bytes: &'a mut [u8],
}

impl<'a> View<'a> {
    #[inline(never)]
    pub(crate) fn new(kernels: Kernels, layout: &'a Layout, bytes: &'a [u8]) -> Self {
        let (head, rest) = bytes.split_at(HEADER);
        let (graph, tail) = rest.split_at(layout.graph.bytes);
        View { kernels, layout, head, graph, tail }
    }

    #[inline(never)]
    pub(crate) fn graph(&self) -> Graph<&'a [u8]> {
        Graph::again(&self.layout.graph, self.graph)
    }

    pub(crate) fn header(&self, field: Field) -> u32 {
        header::get(self.head, field)
    }

    /// The bytes of a section behind the graph.
    #[inline(never)]
    pub(crate) fn section(&self, section: Section) -> &'a [u8] {
        let span = self.layout.span(section);
        let begin = span.at - self.layout.span(Section::Short).at;
        &self.tail[begin..][..span.bytes]
    }

    /// The same as numbers.
    pub(crate) fn numbers<T: AnyBitPattern>(&self, section: Section) -> &'a [T] {
        bytemuck::cast_slice(self.section(section))
    }

    /// The bytes of an entry of such a section.
    #[inline(never)]
    pub(crate) fn entry(&self, section: Section, index: u32) -> &'a [u8] {
        let bytes = self.layout.span(section).entry;
        let rest = self.section(section).get(index as usize * bytes..);
        rest.and_then(|rest| rest.get(..bytes)).unwrap_or_default()
    }

    #[inline(never)]
    pub(crate) fn len(&self) -> u32 {
        self.graph().len()
    }

    /// Is `slot` in use?
    #[inline(never)]
    pub(crate) fn is_live(&self, slot: u32) -> bool {
        self.graph().is_live(slot)
    }

    /// Every slot, of which some may be free.
    pub(crate) fn slots(&self) -> core::ops::Range<u32> {
        0..self.layout.params.capacity
    }

    pub(crate) fn ids(&self) -> Ids<'a> {
        Ids { ids: self.numbers(Section::Ids), table: self.numbers(Section::Table) }
    }

    /// The slot of `id`; [`ids::NONE`] where it is not stored.
    #[inline(never)]
    pub(crate) fn slot(&self, id: u64) -> u32 {
        self.ids().slot(id).unwrap_or(ids::NONE)
    }

    /// The slot of `id`.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    #[inline(always)]
    pub(crate) fn find(&self, id: u64) -> Result<u32, Error> {
        match self.slot(id) {
            ids::NONE => Err(Error::UnknownId(id)),
            slot => Ok(slot),
        }
    }

    /// Is `slot` marked as deleted?
    pub(crate) fn has_mark(&self, slot: u32) -> bool {
        let words = self.numbers::<u32>(Section::Hidden);
        words.get(slot as usize / 32).is_some_and(|word| word >> (slot % 32) & 1 == 1)
    }

    /// May a call work in `scratch`, and `vector` be stored or looked for?
    ///
    /// # Errors
    /// [`Error::Scratch`]; [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`].
    #[inline(never)]
    pub(crate) fn check(&self, vector: &[f32], scratch: &Scratch<'_>) -> Result<(), Error> {
        scratch.check(self.layout).and_then(|()| query::check(&self.layout.params, vector))
    }
}

impl Edit<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        View::new(self.kernels, self.layout, self.bytes)
    }

    /// The graph to change, and all else to read.
    pub(crate) fn split(&mut self) -> (Graph<&mut [u8]>, View<'_>) {
        let Edit { kernels, layout, .. } = *self;
        let (graph, tail) = self.bytes[HEADER..].split_at_mut(layout.graph.bytes);
        let graph = Graph::again(&layout.graph, graph);
        (graph, View { kernels, layout, head: &[], graph: &[], tail })
    }

    pub(crate) fn header(&self, field: Field) -> u32 {
        header::get(self.bytes, field)
    }

    pub(crate) fn set_header(&mut self, field: Field, value: u32) {
        header::set(self.bytes, field, value);
    }

    /// From the first change on the image is not a snapshot.
    pub(crate) fn unseal(&mut self) {
        header::set_seal(self.bytes, 0);
    }

    /// So many bytes from `at` on.
    #[inline(never)]
    pub(crate) fn range(&mut self, at: usize, bytes: usize) -> &mut [u8] {
        self.bytes.get_mut(at..).and_then(|rest| rest.get_mut(..bytes)).unwrap_or_default()
    }

    /// The bytes of a section.
    pub(crate) fn section(&mut self, section: Section) -> &mut [u8] {
        let span = self.layout.span(section);
        self.range(span.at, span.bytes)
    }

    /// The bytes of an entry of a section.
    #[inline(never)]
    pub(crate) fn entry(&mut self, section: Section, index: u32) -> &mut [u8] {
        let span = self.layout.span(section);
        self.range(span.at + index as usize * span.entry, span.entry)
    }

    /// Writes an entry, or its beginning.
    #[inline(never)]
    pub(crate) fn set_entry(&mut self, section: Section, index: u32, value: &[u8]) {
        header::write_at(self.entry(section, index), 0, value);
    }
}

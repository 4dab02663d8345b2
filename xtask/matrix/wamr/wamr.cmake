# What the build of `wamrx-sys` is told beyond its features.
# SIMDe's headers are Debian's: fetching them is not everybody's.
set(FETCHCONTENT_SOURCE_DIR_SIMDE "/usr/include" CACHE PATH "")
# Code that was compiled ahead can be loaded.
set(WAMR_BUILD_AOT 1)

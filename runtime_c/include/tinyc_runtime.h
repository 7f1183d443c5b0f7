/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What generated code and the runtime agree on: the ABI number, and how a runtime function is defined.
 *
 * The ABI number is raised whenever a runtime function changes what it expects or returns. It is part of
 * every symbol (tinyc1_...), so code made for another version fails to link instead of misbehaving, and
 * two versions can live in one image.
 */
#ifndef TINYC_RUNTIME_H
#define TINYC_RUNTIME_H

#define TINYC_RUNTIME_ABI 1

/*
 * Precedes the definition of a runtime function `tinyc_<name>`. Weak, so that several output folders, each
 * with its copy of the file, link into one image; in a section of its own, so that --gc-sections keeps one
 * copy of what is called and nothing else.
 */
#define TINYC_FN(name) __attribute__((weak, section(".text.tinyc1_" #name)))

/* The same for a constant table `tinyc_<name>`. */
#define TINYC_TABLE(name) __attribute__((weak, section(".rodata.tinyc1_" #name)))

/* For small helpers whose call would cost more than their body. */
#define TINYC_INLINE static inline __attribute__((always_inline))

/*
 * A pointer as a number, to find out which of two pointers into the arena comes first. `tinyc verify --shadow`, where
 * each buffer has addresses of its own, defines it otherwise.
 */
#ifndef TINYC_ADDRESS
#define TINYC_ADDRESS(pointer) ((uintptr_t)(pointer))
#endif

#endif /* TINYC_RUNTIME_H */

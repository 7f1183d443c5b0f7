/* SPDX-License-Identifier: Apache-2.0 */
/* Included in front of a model's sources for a native shadow run: tells which layer begins. */
void harness_shadow_mark(const char *label);

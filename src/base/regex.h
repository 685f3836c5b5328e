/* SPDX-License-Identifier: Apache-2.0
 * regex: RE2 behind C (Istio and Envoy promise RE2's language, linear time). A full match of the text.
 * RE2's cache takes a lock, so each thread compiles its own copy on first use (I7): um_regex_thread_init gives the
 * calling thread its slot. Owner: um_regex_new's caller. Errors: UM_ESYNTAX with a text. Thread: matching any, with a
 * slot. */
#ifndef UM_BASE_REGEX_H
#define UM_BASE_REGEX_H

#include "base/err.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct um_regex;

enum { UM_REGEX_MAX_BYTES = 1024 }; /* Istio refuses longer ones */

/* ignore_case folds ASCII and Unicode case; *ret_error (optional) is malloc'ed text on UM_ESYNTAX */
int um_regex_new(struct um_str pattern, bool ignore_case, struct um_regex **ret_regex, char **ret_error) UM_MUST_CHECK;
void um_regex_free(struct um_regex *);
struct um_str um_regex_pattern(const struct um_regex *);
bool um_regex_match(struct um_regex *, struct um_str text);
/* every text that matches begins with these bytes; may be empty. Valid as long as the regex. */
struct um_str um_regex_literal_prefix(const struct um_regex *);

/* slot of this thread, 0 to UM_REGEX_SLOTS - 1; threads without one share slot 0 */
enum { UM_REGEX_SLOTS = 65 };
void um_regex_thread_init(unsigned slot);

#ifdef __cplusplus
}
#endif

#endif

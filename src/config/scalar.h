/* SPDX-License-Identifier: Apache-2.0
 * scalar: what an unquoted text means. The words are YAML 1.1's, because kubectl and istiod read files that way: `no`,
 * `on` and `y` are booleans. Thread: any (pure). */
#ifndef UM_CONFIG_SCALAR_H
#define UM_CONFIG_SCALAR_H

#include "config/document.h"

enum um_scalar_type { UM_SCALAR_TEXT, UM_SCALAR_NULL, UM_SCALAR_BOOL, UM_SCALAR_INT, UM_SCALAR_FLOAT };

/* a quoted scalar is TEXT whatever it says; the node must be a SCALAR */
enum um_scalar_type um_scalar_type(const struct um_node *);

/* UM_ESYNTAX if the text is not of that type; UM_ELIMIT if it does not fit */
int um_scalar_to_bool(struct um_str, bool *ret_value) UM_MUST_CHECK;
int um_scalar_to_int(struct um_str, int64_t *ret_value) UM_MUST_CHECK;   /* decimal digits, no leading zeros */
int um_scalar_to_double(struct um_str, double *ret_value) UM_MUST_CHECK; /* finite */

#endif

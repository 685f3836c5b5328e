/* SPDX-License-Identifier: Apache-2.0
 * http[].retries. Source: the Istio API Thread: any (pure). */
#ifndef UM_ISTIO_COMPILE_RETRY_H
#define UM_ISTIO_COMPILE_RETRY_H

#include "istio/resources.h"
#include "model/route.h"

/* retries may be NULL: Istio's default policy */
struct um_retry_policy um_compile_retry(const struct um_http_retries *);

/* whether all that a word of retryOn means is served */
bool um_retry_word_is_served(struct um_str word);

#endif

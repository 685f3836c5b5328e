/* SPDX-License-Identifier: Apache-2.0
 * stats_text: Envoy's /stats: a line `cluster.outbound|80||x.upstream_rq_total: 5` per counter and gauge, or the same
 * as JSON
 * {"stats":[{"name":...,"value":...}]}. Histograms are in the Prometheus format alone. Thread: the view's. */
#ifndef UM_STATS_STATS_TEXT_H
#define UM_STATS_STATS_TEXT_H

#include "base/buf.h"
#include "base/regex.h"
#include "stats/stat_view.h"

struct um_stats_text_options {
    struct um_regex *filter; /* NULL: all; of um_stats_filter_new */
    bool is_used_only;       /* leaves zeros out */
    bool is_json;
};

/* the `filter` parameter: names that contain a match (RE2); freed by um_regex_free. UM_ESYNTAX with *ret_error as in
 * um_regex_new; UM_ELIMIT: longer than UM_REGEX_MAX_BYTES */
int um_stats_filter_new(struct um_str pattern, struct um_regex **ret_filter, char **ret_error) UM_MUST_CHECK;

void um_stats_text_print(struct um_buf *, const struct um_stat_view *, const struct um_stats_text_options *);

#endif

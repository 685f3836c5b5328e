/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

/* six lines, then the fields of http[0] */
#define HEAD                                                                                                           \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [app]\n  http:\n"
#define ROUTE "    route: [{destination: {host: b}}]\n"

static void the_mirroring_tutorial(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: networking.istio.io/v1alpha3\n"
                    "kind: VirtualService\n"
                    "metadata:\n"
                    "  name: httpbin\n"
                    "spec:\n"
                    "  hosts:\n"
                    "    - httpbin\n"
                    "  http:\n"
                    "  - route:\n"
                    "    - destination:\n"
                    "        host: httpbin\n"
                    "        subset: v1\n"
                    "      weight: 100\n"
                    "    mirror:\n"
                    "      host: httpbin\n"
                    "      subset: v1-mirroring\n"
                    "    mirrorPercentage:\n"
                    "      value: 50.0\n");
    assert_int_equal(d.resources.n_virtual_services, 1);
    const struct um_virtual_service *vs = d.resources.virtual_services;
    assert_str(vs->meta.resource, "VirtualService/default/httpbin");
    assert_false(vs->meta.is_broken);
    assert_int_equal(vs->hosts.n, 1);
    assert_int_equal(vs->gateways.n, 0);
    const struct um_http_route *route = vs->http;
    assert_str(route->route[0].destination->subset, "v1");
    assert_false(route->route[0].destination->port.is_set);
    assert_int_equal(route->route[0].weight.value, 100);
    assert_str(route->mirror->subset, "v1-mirroring");
    assert_true(route->mirror_percentage->value.is_set);
    assert_true(route->mirror_percentage->value.value == 50.0);
    assert_false(route->timeout.is_set);
    decoded_release(&d);
}

static void every_field_that_is_served(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: networking.istio.io/v1beta1\n"
                    "kind: VirtualService\n"
                    "metadata: {name: all, namespace: shop}\n"
                    "spec:\n"
                    "  hosts: [shop.example.com, '*.shop.example.org', 10.0.0.1]\n"
                    "  gateways: [mesh, gw, other/gw, ./gw]\n"
                    "  exportTo: ['.', shop]\n"
                    "  http:\n"
                    "  - name: main\n"
                    "    match:\n"
                    "    - name: m\n"
                    "      uri: {prefix: ''}\n"
                    "      ignoreUriCase: true\n"
                    "      scheme: {exact: https}\n"
                    "      method: {regex: 'POST|PUT'}\n"
                    "      authority: {prefix: shop}\n"
                    "      headers: {x-a: {exact: 'yes'}, x-b: {}, ':method': {exact: GET}}\n"
                    "      withoutHeaders: {x-c: {prefix: p}}\n"
                    "      queryParams: {q: {exact: ''}}\n"
                    "      port: 8080\n"
                    "      sourceLabels: {app: web}\n"
                    "    - gateways: [gw]\n"
                    "    route:\n"
                    "    - destination: {host: '*.wild.example.org', port: {number: 9000}}\n"
                    "      weight: 0\n"
                    "      headers: {response: {remove: [server]}}\n"
                    "    - destination: {host: b, subset: V1}\n"
                    "      weight: 1\n"
                    "    mirrors:\n"
                    "    - destination: {host: s1}\n"
                    "    - destination: {host: s2}\n"
                    "      percentage: {value: 0.5}\n"
                    "    - destination: {host: s3}\n"
                    "      percentage: {}\n"
                    "    timeout: 1.5s\n"
                    "    retries: {attempts: 3, retryOn: 'connect-failure,503,reset', backoff: 10ms}\n"
                    "    rewrite: {uri: /, authority: 'b.example.com:8080'}\n"
                    "    headers:\n"
                    "      request: {set: {Host: b, x-d: '100%%'}, add: {x-e: ''}, remove: [cookie]}\n"
                    "  - match: [{uri: {exact: /old}}]\n"
                    "    redirect: {uri: /new, authority: n.example.com, scheme: https, redirectCode: 304}\n"
                    "  - directResponse: {status: 600, body: {string: sorry}}\n");
    const struct um_virtual_service *vs = d.resources.virtual_services;
    assert_int_equal(vs->n_http, 3);
    const struct um_http_route *main = &vs->http[0];
    const struct um_http_match *m = &main->match[0];
    assert_int_equal(m->uri->kind, UM_TEXT_PREFIX);
    assert_true(m->ignore_uri_case);
    assert_int_equal(m->method->kind, UM_TEXT_REGEX);
    assert_int_equal(m->n_headers, 3);
    assert_str(m->headers[1].place.key, "x-b");
    assert_int_equal(m->headers[1].kind, UM_TEXT_PRESENT);
    assert_str(m->query_params[0].text, "");
    assert_int_equal(m->port.value, 8080);
    assert_str(*um_pairs_get(&m->source_labels, UM_STR("app")), "web");
    assert_int_equal(main->route[0].destination->port.value, 9000);
    assert_str(main->route[0].headers->response->remove.items[0], "server");
    assert_null(main->mirrors[0].percentage);
    assert_true(main->mirrors[1].percentage->value.value == 0.5);
    assert_false(main->mirrors[2].percentage->value.is_set);
    assert_int_equal(main->timeout.ms, 1500);
    assert_int_equal(main->retries->backoff.ms, 10);
    assert_str(main->headers->request->set.items[1].value, "100%%");
    assert_int_equal(vs->http[1].redirect->redirect_code.value, 304);
    assert_str(vs->http[2].direct_response->body, "sorry");
    decoded_release(&d);
}

/* what istiod accepts against expectation */
static void odd_and_accepted(void **state)
{
    static const char *const TEXTS[] = {
        "  - match: [{}]\n" ROUTE,
        "  - route: [{destination: {host: b}}]\n    mirrorPercentage: {value: 1}\n",
        "  - route: [{destination: {host: b}, weight: 0}]\n",
        "  - route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 500}]\n",
        "  - match: [{uri: {}}, {headers: {a: {exact: ''}}}]\n" ROUTE,
        "  - mirror: ~\n    timeout:\n" ROUTE,
        "  - retries: {attempts: 0}\n" ROUTE,
        "  - retries: {}\n" ROUTE,
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        char text[1024];
        struct decoded d;
        snprintf(text, sizeof text, HEAD "%s", TEXTS[i]);
        decode_well(&d, text);
        decoded_release(&d);
    }
}

static void both_spellings_of_a_field(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - mirror_percentage: {value: 5}\n" ROUTE, ""},
        {"  - mirror_percent: 5\n" ROUTE,
         "1:5: warning: spec.http[0].mirror_percent: is deprecated (use `mirrorPercentage`, which wins over it)"},
        {"  - mirrorPercent: 5\n" ROUTE,
         "1:5: warning: spec.http[0].mirrorPercent: is deprecated (use `mirrorPercentage`, which wins over it)"},
        {"  - mirrorPercentage: {value: 5}\n    mirror_percentage: {value: 6}\n" ROUTE,
         "2:5: error: spec.http[0].mirror_percentage: was given before under its other spelling"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

static void mirrors_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - mirrorPercentage: {value: 101}\n" ROUTE,
         "1:31: error: spec.http[0].mirrorPercentage.value: must be between 0 and 100, not 101"},
        {"  - mirrorPercentage: {value: -0.1}\n" ROUTE,
         "1:31: error: spec.http[0].mirrorPercentage.value: must be between 0 and 100, not -0.1"},
        {"  - mirrorPercentage: {value: '50'}\n" ROUTE,
         "1:31: error: spec.http[0].mirrorPercentage.value: must be a number, not text (remove the quotes)"},
        {"  - mirrorPercentage: {value: 50%}\n" ROUTE,
         "1:31: error: spec.http[0].mirrorPercentage.value: must be a number, not text"},
        {"  - mirrorPercentage: 50\n" ROUTE,
         "1:23: error: spec.http[0].mirrorPercentage: must be a mapping, not a number"},
        {"  - mirrorPercentag: {value: 50}\n" ROUTE, "1:5: error: spec.http[0].mirrorPercentag: unknown field "
                                                     "`mirrorPercentag` (did you mean `mirrorPercentage`?)"},
        {"  - mirror: {host: s}\n    mirrors: [{destination: {host: s}}]\n" ROUTE,
         "2:5: error: spec.http[0].mirrors: cannot stand beside `mirror`"},
        {"  - mirrors: [{percentage: {value: 1}}]\n" ROUTE,
         "1:15: error: spec.http[0].mirrors[0].destination: is missing"},
        {"  - mirrors: [~]\n" ROUTE, "1:15: error: spec.http[0].mirrors[0]: must be a mapping, not null"},
        {"  - mirrors: [{destination: {host: s}, percentage: {value: 100.1}}]\n" ROUTE,
         "1:60: error: spec.http[0].mirrors[0].percentage.value: must be between 0 and 100, not 100.1"},
        {"  - mirror: {host: '*'}\n" ROUTE, "1:20: error: spec.http[0].mirror.host: must name a host: `*` is not one"},
        {"  - mirror: {host: ''}\n" ROUTE, "1:20: error: spec.http[0].mirror.host: must not be empty"},
        {"  - mirror: {host: a_b}\n" ROUTE, "1:20: error: spec.http[0].mirror.host: is not a valid host name"},
        {"  - mirror: {subset: v1}\n" ROUTE, "1:5: error: spec.http[0].mirror.host: is missing"},
        {"  - mirror: {host: a, subset: v.1}\n" ROUTE,
         "1:31: error: spec.http[0].mirror.subset: must be a DNS label: letters, digits and `-`, at most 63"},
        {"  - mirror: {host: a, port: {number: 0}}\n" ROUTE,
         "1:38: error: spec.http[0].mirror.port.number: must be between 1 and 65535, not 0"},
        {"  - mirror: {host: a, port: {name: http}}\n" ROUTE,
         "1:23: error: spec.http[0].mirror.port.number: is missing\n"
         "1:30: error: spec.http[0].mirror.port.name: unknown field `name`"},
        {"  - mirror_percent: 101\n" ROUTE,
         "1:5: warning: spec.http[0].mirror_percent: is deprecated (use `mirrorPercentage`, which wins over it)\n"
         "1:21: error: spec.http[0].mirror_percent: must be between 0 and 100, not 101"},
        {"  - mirror_percent: 5.5\n" ROUTE,
         "1:5: warning: spec.http[0].mirror_percent: is deprecated (use `mirrorPercentage`, which wins over it)\n"
         "1:21: error: spec.http[0].mirror_percent: must be a whole number, not 5.5"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

static void actions_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - name: x\n", "1:5: error: spec.http[0]: must have route, redirect or directResponse"},
        {"  - route: []\n", "1:5: error: spec.http[0]: must have route, redirect or directResponse"},
        {"  - redirect: {uri: /x}\n" ROUTE, "1:5: error: spec.http[0].redirect: cannot stand beside `route`"},
        {"  - directResponse: {status: 200}\n" ROUTE,
         "1:5: error: spec.http[0].directResponse: cannot stand beside `route`"},
        {"  - redirect: {uri: /x}\n    rewrite: {uri: /y}\n",
         "1:5: error: spec.http[0].redirect: cannot stand beside `rewrite`"},
        {"  - redirect: {uri: /x}\n    mirror: {host: s}\n",
         "2:5: warning: spec.http[0].mirror: nothing is mirrored: the rule answers by itself"},
        {"  - route: [{destination: {host: a}}, {destination: {host: b}}]\n",
         "1:5: error: spec.http[0].route: the weights of several destinations must not add up to 0 (give each "
         "destination a `weight`)"},
        {"  - route: [{destination: {host: a}, weight: -1}]\n",
         "1:46: error: spec.http[0].route[0].weight: must be between 0 and 2147483647, not -1"},
        {"  - route: [{weight: 1}]\n", "1:13: error: spec.http[0].route[0].destination: is missing"},
        {"  - route: {destination: {host: a}}\n", "1:5: error: spec.http[0].route: must be a list, not a mapping"},
        {"  - timeout: 0s\n" ROUTE, "1:14: error: spec.http[0].timeout: must be at least 1ms, in whole milliseconds"},
        {"  - timeout: 1500us\n" ROUTE,
         "1:14: error: spec.http[0].timeout: must be at least 1ms, in whole milliseconds"},
        {"  - timeout: 5\n" ROUTE,
         "1:14: error: spec.http[0].timeout: must be a duration such as 5s or 250ms, not a number"},
        {"  - timeout: soon\n" ROUTE, "1:14: error: spec.http[0].timeout: must be a duration such as 5s or 250ms"},
        {"  - redirect: {}\n", "1:5: error: spec.http[0].redirect: must say uri, authority, scheme or port"},
        {"  - redirect: {uri: /x, redirectCode: 200}\n",
         "1:39: error: spec.http[0].redirect.redirectCode: must be between 300 and 399, not 200"},
        {"  - redirect: {scheme: ftp}\n", "1:5: error: spec.http[0].redirect: must say uri, authority, scheme or port\n"
                                          "1:24: error: spec.http[0].redirect.scheme: must be `http` or `https`"},
        {"  - redirect: {uri: /x, port: 8080}\n",
         "1:25: error: spec.http[0].redirect.port: is not supported yet (write the port into `authority`)"},
        {"  - redirect: {derivePort: FROM_NOTHING}\n",
         "1:16: error: spec.http[0].redirect.derivePort: is not supported yet (write the port into `authority`)\n"
         "1:28: error: spec.http[0].redirect.derivePort: must be one of FROM_PROTOCOL_DEFAULT, FROM_REQUEST_PORT, not "
         "`FROM_NOTHING`"},
        {"  - directResponse: {body: {string: x}}\n", "1:5: error: spec.http[0].directResponse.status: is missing"},
        {"  - directResponse: {status: 199}\n",
         "1:30: error: spec.http[0].directResponse.status: must be between 200 and 600, not 199"},
        {"  - directResponse: {status: 200, body: {bytes: aGk=}}\n",
         "1:42: error: spec.http[0].directResponse.body.bytes: is not supported yet (use `string`)"},
        {"  - rewrite: {}\n" ROUTE, "1:5: error: spec.http[0].rewrite: must say uri, authority or uriRegexRewrite"},
        {"  - rewrite: {uriRegexRewrite: {match: '['}}\n" ROUTE,
         "1:15: error: spec.http[0].rewrite.uriRegexRewrite: is not supported yet (use `uri` with a prefix match)\n"
         "1:15: error: spec.http[0].rewrite.uriRegexRewrite.rewrite: is missing\n"
         "1:40: error: spec.http[0].rewrite.uriRegexRewrite.match: is not a regular expression of RE2: missing ]: ["},
        {"  - retries: {attempts: 0, retryOn: 5xx}\n" ROUTE,
         "1:25: error: spec.http[0].retries.attempts: 0 switches retries off: perTryTimeout, retryOn and "
         "retryRemoteLocalities cannot stand beside it"},
        {"  - retries: {attempts: -1}\n" ROUTE,
         "1:25: error: spec.http[0].retries.attempts: must be between 0 and 2147483647, not -1"},
        {"  - retries: {attempts: 1, retryOn: '5xx, reset'}\n" ROUTE,
         "1:37: error: spec.http[0].retries.retryOn: must not have spaces between the conditions"},
        {"  - retries: {attempts: 1, retryOn: '5xx,never'}\n" ROUTE,
         "1:37: error: spec.http[0].retries.retryOn: does not know the condition `never`"},
        {"  - retries: {attempts: 1, perTryTimeout: 2s}\n" ROUTE,
         "1:28: warning: spec.http[0].retries.perTryTimeout: is accepted and has no effect yet (a try that failed to "
         "connect, or was reset before any byte of an answer, is retried)"},
        {"  - fault: {abort: {httpStatus: 500}}\n" ROUTE, "1:5: error: spec.http[0].fault: is not supported yet"},
        {"  - fault: {}\n" ROUTE, "1:5: error: spec.http[0].fault: is not supported yet\n"
                                  "1:5: error: spec.http[0].fault: must say delay or abort"},
        {"  - corsPolicy: {allowOrigins: [{exact: 'https://x'}], maxAge: 24h}\n" ROUTE,
         "1:5: error: spec.http[0].corsPolicy: is not supported yet"},
        {"  - delegate: {name: other}\n", "1:5: error: spec.http[0].delegate: is not supported yet"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

static void matches_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - match: [{uri: {exact: /a, prefix: /b}}]\n" ROUTE,
         "1:31: error: spec.http[0].match[0].uri.prefix: cannot stand beside `exact`"},
        {"  - match: [{uri: {prefx: /a}}]\n" ROUTE,
         "1:20: error: spec.http[0].match[0].uri.prefx: unknown field `prefx` (did you mean `prefix`?)"},
        {"  - match: [{uri: /a}]\n" ROUTE, "1:19: error: spec.http[0].match[0].uri: must be a mapping, not text"},
        {"  - match: [{uri: {regex: '(?<!a)'}}]\n" ROUTE, "1:27: error: spec.http[0].match[0].uri.regex: is not a "
                                                          "regular expression of RE2: invalid perl operator: (?<"},
        {"  - match: [{headers: {x: {regex: '*'}}}]\n" ROUTE,
         "1:35: error: spec.http[0].match[0].headers.x.regex: is not a regular expression of RE2: no argument for "
         "repetition operator: *"},
        {"  - match: [{headers: {x: {prefix: ''}}}]\n" ROUTE,
         "1:36: error: spec.http[0].match[0].headers.x.prefix: must not be empty"},
        {"  - match: [{headers: {x: {regex: ''}}}]\n" ROUTE,
         "1:35: error: spec.http[0].match[0].headers.x.regex: must not be empty"},
        {"  - match: [{headers: {x y: {exact: a}}}]\n" ROUTE,
         "1:24: error: spec.http[0].match[0].headers[\"x y\"]: is not a header's name"},
        {"  - match: [{headers: {'@request.auth.claims.iss': {exact: a}}}]\n" ROUTE,
         "1:24: error: spec.http[0].match[0].headers[\"@request.auth.claims.iss\"]: is not supported yet: claims of a "
         "JWT"},
        {"  - match: [{headers: {x: yes}}]\n" ROUTE,
         "1:27: error: spec.http[0].match[0].headers.x: must be a mapping, not a boolean"},
        {"  - match: [{headers: {x: {exact: yes}}}]\n" ROUTE,
         "1:35: error: spec.http[0].match[0].headers.x.exact: must be text, but `yes` without quotes is a boolean "
         "(quote "
         "it: \"yes\")"},
        {"  - match: [{headers: {x: {exact: 1}}}]\n" ROUTE, "1:35: error: spec.http[0].match[0].headers.x.exact: must "
                                                            "be text, but `1` without quotes is a number (quote it: "
                                                            "\"1\")"},
        {"  - match: [{port: 70000}]\n" ROUTE,
         "1:20: error: spec.http[0].match[0].port: must be between 1 and 65535, not 70000"},
        {"  - match: [{ignoreUriCase: 'true'}]\n" ROUTE,
         "1:29: error: spec.http[0].match[0].ignoreUriCase: must be true or false, not text (remove the quotes)"},
        {"  - match: [{gateways: [gw], sourceLabels: {a: b}}]\n" ROUTE,
         "1:30: warning: spec.http[0].match[0].sourceLabels: has no effect beside `gateways`, as in Istio"},
        {"  - match: [{statPrefix: p}]\n" ROUTE, "1:14: warning: spec.http[0].match[0].statPrefix: is accepted and has "
                                                 "no effect yet (umbra's metrics name every "
                                                 "route)"},
        {"  - match: {uri: {exact: /}}\n" ROUTE, "1:5: error: spec.http[0].match: must be a list, not a mapping"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

static void header_operations_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - headers: {request: {set: {':path': x}}}\n" ROUTE,
         "1:31: error: spec.http[0].headers.request.set[\":path\"]: is not a header that can be set here"},
        {"  - headers: {response: {set: {host: x}}}\n" ROUTE,
         "1:32: error: spec.http[0].headers.response.set.host: is not a header that can be set here"},
        {"  - headers: {request: {remove: [Host]}}\n" ROUTE,
         "1:34: error: spec.http[0].headers.request.remove[0]: is not a header that can be removed"},
        {"  - headers: {request: {set: {host: a, ':authority': b}}}\n" ROUTE,
         "1:15: error: spec.http[0].headers.request: the host can be set once only"},
        {"  - headers: {request: {add: {x: '50%'}}}\n" ROUTE,
         "1:34: error: spec.http[0].headers.request.add.x: has a single `%`: write `%%`"},
        {"  - headers: {request: {add: {x: 'a%REQ(y)%b'}}}\n" ROUTE,
         "1:34: error: spec.http[0].headers.request.add.x: is not supported yet: variables (`%NAME%`)"},
        {"  - headers: {request: {add: {x: \"a\\nb\"}}}\n" ROUTE,
         "1:34: error: spec.http[0].headers.request.add.x: is not a header's value: control characters, or spaces at "
         "its "
         "ends"},
        {"  - headers: {request: {add: {x: 5}}}\n" ROUTE,
         "1:34: error: spec.http[0].headers.request.add.x: must be text, but `5` without quotes is a number (quote it: "
         "\"5\")"},
        {"  - headers: {requests: {}}\n" ROUTE,
         "1:15: error: spec.http[0].headers.requests: unknown field `requests` (did you mean `request`?)"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

static void rules_and_their_order(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  - name: all\n" ROUTE "  - name: rest\n" ROUTE "  - name: last\n" ROUTE,
         "3:5: warning: spec.http[1]: is never reached: http[0] matches every request"},
        {"  - match: [{uri: {exact: /a}}, {uri: {prefix: /}}]\n" ROUTE "  - name: rest\n" ROUTE,
         "3:5: warning: spec.http[1]: is never reached: http[0] matches every request"},
        {"  - match: [{uri: {prefix: /}, port: 80}]\n" ROUTE "  - name: rest\n" ROUTE, ""},
        {"  - match: [{uri: {exact: /a}}]\n    name: twin\n" ROUTE "  - name: twin\n" ROUTE,
         "4:11: warning: spec.http[1].name: http[0] has the same name (metrics and ShadowPolicies cannot tell the two "
         "apart)"},
    };
    EXPECT_SAYINGS(HEAD, 6, "VirtualService/default/a", SAYINGS);
}

#define TOP "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
#define HTTP "  http: [{route: [{destination: {host: b}}]}]\n"

static void specs_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec:\n  hosts: [a]\n", "1:1: error: spec.http: is missing: a VirtualService must have http, tls or tcp"},
        {"spec:\n  hosts: ['*']\n" HTTP,
         "2:11: error: spec.hosts[0]: `*` is not allowed on the mesh gateway (name `gateways` without mesh)"},
        {"spec:\n  hosts: ['*']\n  gateways: [gw, mesh]\n" HTTP,
         "2:11: error: spec.hosts[0]: `*` is not allowed on the mesh gateway (name `gateways` without mesh)"},
        {"spec:\n  hosts: ['*']\n  gateways: [gw]\n" HTTP, ""},
        {"spec:\n  hosts: ['*.foo.com', A.com, '*.com']\n" HTTP,
         "2:31: error: spec.hosts[2]: `*.foo.com` and `*.com` overlap\n"
         "2:31: error: spec.hosts[2]: `A.com` and `*.com` overlap"},
        {"spec:\n  hosts: ['*foo.com', 'a*', -a, 'a b', a..b]\n" HTTP,
         "2:11: error: spec.hosts[0]: is not a valid host name: a wildcard is `*`, or `*.` and a domain\n"
         "2:23: error: spec.hosts[1]: is not a valid host name\n"
         "2:29: error: spec.hosts[2]: is not a valid host name\n"
         "2:33: error: spec.hosts[3]: is not a valid host name\n"
         "2:40: error: spec.hosts[4]: is not a valid host name"},
        {"spec:\n  hosts: [on, 5, ~]\n" HTTP,
         "2:11: error: spec.hosts[0]: must be text, but `on` without quotes is a boolean (quote it: \"on\")\n"
         "2:15: error: spec.hosts[1]: must be text, but `5` without quotes is a number (quote it: \"5\")\n"
         "2:18: error: spec.hosts[2]: must be text, not null"},
        {"spec:\n  hosts: a\n" HTTP, "2:10: error: spec.hosts: must be a list of texts, not text"},
        {"spec:\n" HTTP, "1:1: warning: spec: has no hosts, so nothing comes to it (delegates are not supported yet)"},
        {"spec:\n  gateways: [gw]\n" HTTP, "1:1: error: spec.hosts: is missing"},
        {"spec:\n  hosts: [a]\n  gateways: [a/b/c]\n" HTTP,
         "3:14: error: spec.gateways[0]: must be `mesh`, a Gateway's name, or NAMESPACE/NAME"},
        {"spec:\n  hosts: [a]\n  exportTo: [a.b]\n" HTTP,
         "3:14: error: spec.exportTo[0]: must be `.`, `*` or a namespace"},
        {"spec:\n  hosts: [a]\n  tcp: [{route: [{destination: {host: b}}]}]\n  tls: []\n",
         "3:3: warning: spec.tcp: is accepted and has no effect yet (TCP is not served yet)\n"
         "4:3: warning: spec.tls: is accepted and has no effect yet (TLS is not served yet)"},
        {"spec: [x]\n", "1:1: error: spec: must be a mapping, not a list"},
        {"spec:\n", "1:1: error: spec: is missing"},
        {"spce: {}\n", "-2:1: error: spec: is missing\n1:1: error: spce: unknown field `spce` (did you mean `spec`?)"},
        {"spec: {hosts: [a], htp: []}\n",
         "1:1: error: spec.http: is missing: a VirtualService must have http, tls or tcp\n"
         "1:20: error: spec.htp: unknown field `htp` (did you mean `http`?)"},
    };
    EXPECT_SAYINGS(TOP, 3, "VirtualService/default/a", SAYINGS);
}

static void a_resource_with_an_error_is_kept_as_broken(void **state)
{
    struct decoded d;
    decode(&d, HEAD "  - timeout: 0s\n" ROUTE "---\n" HEAD "  - statPrefix: x\n" ROUTE);
    const struct um_virtual_service *vs = d.resources.virtual_services;
    assert_int_equal(d.resources.n_virtual_services, 2);
    assert_true(vs[0].meta.is_broken);
    assert_false(vs[0].http[0].timeout.is_set);
    assert_str(vs[0].http[0].route[0].destination->host, "b");
    decoded_release(&d);
}

static void large_bodies(void **state)
{
    static char text[1200000];
    struct decoded d;
    int n = snprintf(text, sizeof text, HEAD "  - directResponse:\n      status: 200\n      body: {string: '");
    for (size_t body = 0, line = 0; body < 1048577; body++, line++)
        text[n + (int)body] = line % 1000 == 999 ? '\n' : 'x'; /* one line feed in a quoted text is a space */
    snprintf(text + n + 1048577, sizeof text - (size_t)n - 1048577, "'}\n");
    decode(&d, text);
    assert_string_equal(d.said.p, "f.yaml:9:22: error: VirtualService/default/a: "
                                  "spec.http[0].directResponse.body.string: is larger than 1 MiB\n");
    decoded_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mirroring_tutorial),
        cmocka_unit_test(every_field_that_is_served),
        cmocka_unit_test(odd_and_accepted),
        cmocka_unit_test(both_spellings_of_a_field),
        cmocka_unit_test(mirrors_that_are_refused),
        cmocka_unit_test(actions_that_are_refused),
        cmocka_unit_test(matches_that_are_refused),
        cmocka_unit_test(header_operations_that_are_refused),
        cmocka_unit_test(rules_and_their_order),
        cmocka_unit_test(specs_that_are_refused),
        cmocka_unit_test(a_resource_with_an_error_is_kept_as_broken),
        cmocka_unit_test(large_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

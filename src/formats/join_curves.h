// Hard-swish and hard-sigmoid where a file spells them out.
#pragma once

#include "formats/graph.h"

namespace mobilenet {

// Makes one activation of the nodes for x relu6(x + 3) / 6 and for relu6(x + 3) / 6, whatever is divided by
// six: the product or a factor; what no other node reads any more stays behind, on no way to the output.
void JoinCurves(Graph& graph);

// Whether it is a division by six.
bool IsSixth(const op::Rescale& rescale);

}  // namespace mobilenet

// What is made of a graph of foreign operators: layers, names, a caption, or a complaint.
#include "formats/graph.h"

#include <algorithm>
#include <string>

#include "as_graph.h"
#include "base/fail.h"
#include "complaint.h"
#include "formats/chain.h"
#include "gmock/gmock.h"
#include "network/kinds.h"
#include "random.h"
#include "runtime/reference_run.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

V1Options V1Of(const Model& model) { return std::get<V1Options>(*model.network.recipe); }
V2Options V2Of(const Model& model) { return std::get<V2Options>(*model.network.recipe); }

// Of weights that don't matter: random ones of the whole family would take minutes under sanitizers.
Graph GraphOf(const Network& network) {
  Weights weights;
  for (const Parameter& parameter : ParametersOf(network)) {
    const auto size = static_cast<std::size_t>(parameter.size());
    weights[parameter.name] = Tensor::Of(parameter.shape, std::vector<float>(size, 0.5F));
  }
  return GraphOf(network, weights);
}

template <typename Options>
void ExpectRecognised(const Options& options) {
  const Network network = Build(options);
  const Model model = ToModel(GraphOf(network));
  ASSERT_TRUE(model.network.recipe && std::holds_alternative<Options>(*model.network.recipe));
  const auto found = std::get<Options>(*model.network.recipe);
  EXPECT_NEAR(found.alpha, options.alpha, 1e-3);
  Options expected = options;
  expected.alpha = found.alpha;
  EXPECT_EQ(found, expected);
  EXPECT_EQ(model.network.layers, network.layers);
}

TEST(Recognise, WorksOutEveryOption) {
  ExpectRecognised<V1Options>({});
  ExpectRecognised<V1Options>({.alpha = 0.25, .resolution = 128, .classes = 10});
  ExpectRecognised<V1Options>(
      {.alpha = 0.35, .resolution = 96, .classes = 2, .input_channels = 1, .output_stride = 8});
  ExpectRecognised<V1Options>(
      {.alpha = 0.5, .padding = PaddingStyle::kSymmetric, .activation = Activation::kRelu});
  ExpectRecognised<V1Options>({.alpha = 0.123, .batch_norm = false});
  ExpectRecognised<V1Options>({.alpha = 0.25, .classes = 5, .separable = false, .epsilon = 1e-5F});
  ExpectRecognised<V1Options>({.alpha = 0.25, .classes = 5, .shallow = true});
  ExpectRecognised<V1Options>({.alpha = 0.25, .resolution = {96, 128}, .classes = 5});
  ExpectRecognised<V2Options>({});
  ExpectRecognised<V2Options>({.alpha = 0.35, .resolution = {96, 128}, .classes = 2, .input_channels = 1});
  ExpectRecognised<V2Options>({.alpha = 1.4, .padding = PaddingStyle::kSymmetric, .epsilon = 1e-5F});
  ExpectRecognised<V2Options>({.alpha = 0.25, .output_stride = 8, .activation = Activation::kRelu});
  ExpectRecognised<V2Options>({.alpha = 0.75, .batch_norm = false});
  ExpectRecognised<V3Options>({});
  ExpectRecognised<V3Options>(
      {.variant = V3Variant::kSmall, .alpha = 0.5, .classes = 3, .input_channels = 1});
  ExpectRecognised<V3Options>({.variant = V3Variant::kSmall,
                               .alpha = 0.35,
                               .classes = 0,
                               .widths = V3Widths::kTimm,
                               .padding = PaddingStyle::kSymmetric,
                               .epsilon = 1e-5F});
  ExpectRecognised<V3Options>({.variant = V3Variant::kLarge,
                               .alpha = 0.35,
                               .resolution = {96, 128},
                               .output_stride = 8,
                               .widths = V3Widths::kTorchvision,
                               .batch_norm = false});
  ExpectRecognised<V3Options>(
      {.variant = V3Variant::kLargeMinimalistic, .alpha = 0.35, .widths = V3Widths::kKeras});
  ExpectRecognised<V3Options>({.variant = V3Variant::kSmallMinimalistic, .alpha = 1.25, .classes = 7});
  ExpectRecognised<V4Options>({.alpha = 0.35, .classes = 3, .input_channels = 1});
  ExpectRecognised<V4Options>({.alpha = 0.25, .resolution = {96, 128}, .classes = 0, .output_stride = 8});
  ExpectRecognised<V4Options>({.variant = V4Variant::kConvMedium, .alpha = 0.5, .classes = 3});
  ExpectRecognised<V4Options>({.variant = V4Variant::kConvLarge,
                               .alpha = 0.2,
                               .classes = 5,
                               .padding = PaddingStyle::kSame,
                               .activation = Activation::kRelu6,
                               .batch_norm = false,
                               .epsilon = 1e-3F});  // a layer's default
}

TEST(Recognise, FindsTheRoundAlpha) {
  for (const double alpha : {1.0, 0.75, 0.5, 0.25, 0.35, 0.1, 0.6}) {
    EXPECT_EQ(V1Of(ToModel(GraphOf(V1({.alpha = alpha})))).alpha, alpha);
  }
  for (const double alpha : {1.4, 1.3, 1.0, 0.75, 0.5, 0.35, 0.25, 0.1}) {
    EXPECT_EQ(V2Of(ToModel(GraphOf(V2({.alpha = alpha})))).alpha, alpha);
  }
  for (const double alpha : {1.25, 1.0, 0.75, 0.5, 0.35}) {
    const Model model = ToModel(GraphOf(V3({.alpha = alpha, .resolution = 64})));
    EXPECT_EQ(std::get<V3Options>(*model.network.recipe).alpha, alpha);
  }
  const Model keras = ToModel(GraphOf(
      V3({.variant = V3Variant::kSmall, .alpha = 0.35, .resolution = 64, .widths = V3Widths::kKeras})));
  EXPECT_EQ(std::get<V3Options>(*keras.network.recipe).alpha, 0.35);
  for (const double alpha : {1.4, 1.25, 1.0, 0.75, 0.5, 0.35, 0.1}) {
    const Model model = ToModel(GraphOf(V4({.alpha = alpha, .resolution = 64})));
    EXPECT_EQ(std::get<V4Options>(*model.network.recipe).alpha, alpha);
  }
}

// The same where all maps are even: zeros that a file writes down below and right are Keras's.
TEST(Recognise, ZerosBelowAndRightBeforeStridesAreKerass) {
  const auto padding_of = [](const Graph& graph) {
    const Model model = ToModel(graph);
    return std::visit([](const auto& options) { return options.padding; }, *model.network.recipe);
  };
  const auto written = [](Graph graph) {
    for (Node& node : graph.nodes) {
      auto* depthwise = std::get_if<op::Depthwise>(&node.operation);
      if (depthwise != nullptr && depthwise->stride == 2) depthwise->padding = Padding{0, 1, 0, 1};
    }
    return graph;
  };
  Graph v1 = written(GraphOf(V1({.alpha = 0.25})));
  EXPECT_EQ(padding_of(v1), PaddingStyle::kKeras);
  Graph v2 = written(GraphOf(V2({.alpha = 0.35})));
  EXPECT_EQ(padding_of(v2), PaddingStyle::kSame) << "Keras's V2 works its zeros out";
  v2.resolution.reset();
  EXPECT_EQ(padding_of(v2), PaddingStyle::kKeras) << "but not for a map of any size";
  for (const Resolution sides : {Resolution(100), Resolution(180), Resolution(75, 130)}) {
    const Network odd = V1({.alpha = 0.25, .resolution = sides, .padding = PaddingStyle::kKeras});
    EXPECT_NE(odd.layers, V1({.alpha = 0.25, .resolution = sides}).layers);
    EXPECT_EQ(ToModel(GraphOf(odd)).network.recipe, odd.recipe);
  }
}

// On a map of 33 pixels both styles put one zero on every side; the file's own word decides.
TEST(Recognise, TheSamePaddingByTwoNamesIsCalledAsInTheFile) {
  const Network network = V1({.alpha = 0.1, .resolution = 33, .classes = 2});
  Graph graph = GraphOf(network);
  EXPECT_EQ(V1Of(ToModel(graph)).padding, PaddingStyle::kSame);
  for (Node& node : graph.nodes) {
    const auto symmetric = [](op::Window& window) {
      const int side = static_cast<int>(window.weight.shape[0]) / 2;
      window.padding = Padding{side, side, side, side};
    };
    if (auto* convolution = std::get_if<op::Convolution>(&node.operation)) symmetric(*convolution);
    if (auto* depthwise = std::get_if<op::Depthwise>(&node.operation)) symmetric(*depthwise);
  }
  EXPECT_EQ(V1Of(ToModel(graph)).padding, PaddingStyle::kSymmetric);
}

TEST(FoldGraph, MovesABiasBehindABatchNorm) {
  Graph graph = GraphOf(V1({.alpha = 0.25}));
  std::get<op::Convolution>(graph.nodes[0].operation).bias = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(ToModel(graph).weights.at("conv1.norm.mean").values[2], 0.5 - 3);
}

// A small network of ours, of every layer kind, that no recipe builds: odd maps, zeros on one side alone, a
// 5 x 5 window, a window of one pixel that steps over others, a second classifier.
Network OddNetwork() {
  Network network;
  network.input = {23, 38, 3};
  const auto add = [&](LayerKind kind, int kernel, int stride, Padding padding, int channels,
                       Activation activation) {
    Layer layer;
    layer.name = Concat("l", network.layers.size());
    layer.kind = kind;
    layer.inputs = {static_cast<int>(network.layers.size()) - 1};
    layer.input = network.layers.empty() ? network.input : network.layers.back().output;
    layer.kernel = kernel;
    layer.stride = stride;
    layer.padding = padding;
    layer.output.channels = channels;
    layer.activation = activation;
    layer.bias = kind != LayerKind::kGlobalAveragePool && kind != LayerKind::kAdd;
    if (kind == LayerKind::kAdd) layer.inputs.push_back(static_cast<int>(network.layers.size()) - 3);
    layer.output = OutputOf(layer);
    network.layers.push_back(layer);
  };
  add(LayerKind::kConvolution, 3, 2, {0, 1, 0, 1}, 6, Activation::kRelu);
  add(LayerKind::kDepthwise, 5, 1, {2, 2, 2, 2}, 6, Activation::kNone);
  add(LayerKind::kPointwise, 1, 1, {}, 6, Activation::kRelu6);
  add(LayerKind::kAdd, 1, 1, {}, 6, Activation::kRelu);
  add(LayerKind::kConvolution, 1, 2, {}, 4, Activation::kNone);
  add(LayerKind::kDepthwise, 3, 2, {2, 0, 1, 0}, 4, Activation::kRelu);
  add(LayerKind::kGlobalAveragePool, 1, 1, {}, 4, Activation::kNone);
  add(LayerKind::kFullyConnected, 1, 1, {}, 7, Activation::kRelu);
  add(LayerKind::kFullyConnected, 1, 1, {}, 3, Activation::kNone);
  CheckNetwork(network);
  return network;
}

TEST(FoldGraph, WhatNoRecipeBuildsIsACustomNetwork) {
  const Network network = OddNetwork();
  const Weights weights = RandomWeights(network, 7);
  const std::vector<float> input = RandomValues(static_cast<std::size_t>(network.input.size()), 3);
  const std::vector<float> expected = ReferenceRun(network, weights, input);
  for (const Model& model : {ToModel(GraphOf(network, weights)), Model::Parse(TfliteOf(network, weights))}) {
    EXPECT_EQ(model.network.layers, network.layers);
    EXPECT_EQ(VersionOf(model.network), "custom");
    EXPECT_EQ(ReferenceRun(model.network, model.weights, input), expected);
  }
}

// Whatever one thing is changed in a V1, the rest stays as it is.
TEST(FoldGraph, AlmostV1IsCustom) {
  const Network v1 = V1({.alpha = 0.25, .resolution = 64, .classes = 3});
  const auto edited = [&](auto edit) {
    Graph graph = GraphOf(v1);
    edit(graph);
    return ToModel(graph).network;
  };
  const auto node = [&](Graph& graph, const char* name) -> Node& {
    return *std::ranges::find(graph.nodes, Concat("the layer ", name), &Node::where);
  };
  const Network same = edited([](Graph&) {});
  EXPECT_EQ(VersionOf(same), "v1");
  const Network strided =
      edited([&](Graph& g) { std::get<op::Depthwise>(node(g, "block3.depthwise").operation).stride = 2; });
  EXPECT_EQ(VersionOf(strided), "custom");
  EXPECT_EQ(strided.layers[5].name, "block3.depthwise");
  EXPECT_EQ(strided.layers[5].stride, 2);
  EXPECT_EQ(strided.layers.back().input, v1.layers.back().input);
  const Network clipped = edited([&](Graph& g) {
    std::get<op::Activate>(node(g, "block3.depthwise_relu").operation).activation = Activation::kRelu;
  });
  EXPECT_EQ(VersionOf(clipped), "custom");
  EXPECT_EQ(clipped.layers[5].activation, Activation::kRelu);
  const Network unnormed =
      edited([&](Graph& g) { node(g, "block3.depthwise_bn").operation = op::Identity(); });
  EXPECT_EQ(VersionOf(unnormed), "custom");
  EXPECT_TRUE(unnormed.layers[5].bias && !unnormed.layers[5].batch_norm);
  const Network wide = edited([&](Graph& g) {
    std::get<op::Depthwise>(node(g, "block3.depthwise").operation).weight =
        Tensor::Of({5, 5, 32}, std::vector<float>(800));
  });
  EXPECT_EQ(VersionOf(wide), "custom");
  EXPECT_EQ(wide.layers[5].kernel, 5);
}

TEST(FoldGraph, NamesTheFirstNodeThatDoesNotFit) {
  const auto complaint = [](auto edit) {
    Graph graph = GraphOf(V1({.alpha = 0.25}));
    edit(graph);
    return Complaint([&] { ToModel(graph); });
  };
  const auto depthwise = [](Graph& g) -> op::Depthwise& {
    return std::get<op::Depthwise>(g.nodes[3].operation);  // block1's
  };
  const auto norm = [](Graph& g) -> op::Norm& { return std::get<op::Norm>(g.nodes[4].operation); };
  const auto pointwise = [](Graph& g) -> op::Convolution& {
    return std::get<op::Convolution>(g.nodes[6].operation);
  };
  EXPECT_THAT(complaint([](Graph& g) { g.output = kNetworkInput; }), HasSubstr("f: has no layers"));
  EXPECT_THAT(complaint([&](Graph& g) {
                pointwise(g).weight = Tensor::Of({1, 1, 8, 20}, std::vector<float>(160));
              }),
              HasSubstr("f: the layer block1.pointwise_bn has 16 values of a kind, expected 20 (test)"));
  EXPECT_THAT(complaint([&](Graph& g) {
                pointwise(g).weight = Tensor::Of({1, 1, 9, 16}, std::vector<float>(144));
              }),
              HasSubstr("block1.pointwise has weights for 9 channels, but reads a map of 8"));
  EXPECT_THAT(complaint([&](Graph& g) {
                depthwise(g).weight = Tensor::Of({3, 5, 8}, std::vector<float>(120));
              }),
              HasSubstr("a window of 3 x 5, expected a square one"));
  EXPECT_THAT(complaint([&](Graph& g) {
                depthwise(g).weight.shape = {9, 8};
              }),
              HasSubstr("expected 3 dimensions"));
  EXPECT_THAT(complaint([&](Graph& g) {
                depthwise(g).bias = {1, 2};
              }),
              HasSubstr("a bias of 2 values, expected 8"));
  EXPECT_THAT(complaint([&](Graph& g) {
                depthwise(g).padding = Padding{3, 1, 1, 1};
              }),
              HasSubstr("is padded with 3, 1, 1 and 1 zeros"));
  EXPECT_THAT(complaint([&](Graph& g) { norm(g).gamma.pop_back(); }),
              HasSubstr("block1.depthwise_bn has 7 values of a kind, expected 8"));
  EXPECT_THAT(complaint([&](Graph& g) { norm(g).variance.clear(); }), HasSubstr("has 0 values of a kind"));
  EXPECT_THAT(complaint([&](Graph& g) { norm(g).axis = 1; }), HasSubstr("along the axis 1"));
  EXPECT_THAT(complaint([&](Graph& g) { g.nodes[6].inputs = {kNetworkInput}; }),
              HasSubstr("but reads a map of 3"));
  EXPECT_THAT(complaint([&](Graph& g) {
                g.nodes[3].shape = {1, 112, 112, 7};
              }),
              HasSubstr("block1.depthwise makes a map of 112 x 112 x 8, but the file says [1, 112, 112, 7]"));
  EXPECT_THAT(complaint([&](Graph& g) { g.version = "v2"; }),
              HasSubstr("from 8 to 256 channels, are those of MobileNet V2 under no alpha"));
  EXPECT_THAT(complaint([&](Graph& g) { g.channels = 4; }), HasSubstr("of 4 channels, expected 3 or 1"));
  EXPECT_THAT(complaint([&](Graph& g) { g.resolution = 2'000'000'000; }),
              HasSubstr("images of 2000000000 x 2000000000 pixels"));
}

TEST(FoldGraph, ZerosGoIntoTheWindowsThatReadThem) {
  const Network network = Chain()
                              .Then("z", op::Zeros{{0, 1, 0, 1}})
                              .Depthwise("even", 2, Padding())  // 6 x 9
                              .Then("y", op::Zeros{{0, 1, 0, 1}})
                              .Depthwise("odd", 2, Padding())  // 3 x 4
                              .Then("x", op::Zeros{{1, 0, 0, 0}})
                              .Then("w", op::Zeros{{0, 0, 1, 1}})
                              .Depthwise("twice", 1, Padding())
                              .Then("v", op::Zeros{{1, 1, 1, 1}})
                              .Depthwise("more", 1)
                              .Depthwise("none", 1, Padding())
                              .Head()
                              .Build();
  EXPECT_EQ(network.layers[1].padding, (Padding{0, 1, 0, 1}));
  EXPECT_EQ(network.layers[1].output, (Shape{6, 9, 2}));
  EXPECT_EQ(network.layers[2].padding, (Padding{0, 1, 0, 1}));
  EXPECT_EQ(network.layers[2].output, (Shape{3, 4, 2}));
  EXPECT_EQ(network.layers[3].padding, (Padding{1, 0, 1, 1}));
  EXPECT_EQ(network.layers[4].padding, (Padding{2, 2, 2, 2})) << "zeros, and those of \"same\"";
  EXPECT_EQ(network.layers[5].padding, Padding());
}

TEST(FoldGraph, ZerosThatNoWindowTakesAreRefused) {
  const op::Zeros zeros = {{1, 1, 1, 1}};
  EXPECT_THAT(Chain().Then("z", zeros).Pointwise("p").Complains(),
              HasSubstr("p is a 1 x 1 convolution of a padded map"));
  EXPECT_THAT(Chain().Then("z", zeros).Then("pool", op::Average()).Complains(),
              HasSubstr("the layer pool reads a map with zeros around it"));
  EXPECT_THAT(Chain().Then("z", zeros).Then("r", op::Activate()).Complains(),
              HasSubstr("the layer r reads a map with zeros"));
  EXPECT_THAT(Chain().Then("vast", op::Zeros{{0, 2'000'000'000, 0, 0}}).Complains(),
              HasSubstr("vast puts 0 and 2000000000 zeros around the map"));
  EXPECT_THAT(Chain().Then("less", op::Zeros{{0, 0, -1, 0}}).Complains(),
              HasSubstr("less puts -1 and 0 zeros"));
  for (const op::Zeros& many : {op::Zeros{{254, 254, 0, 0}}, op::Zeros{{0, 0, 254, 254}}}) {
    Chain chain;
    for (int i = 0; i < 300; ++i) chain.Then("layer " + std::to_string(i), many);
    EXPECT_THAT(chain.Complains(), HasSubstr("is one of too many layers of zeros"));
  }
}

TEST(FoldGraph, WindowsThatMakeNoSenseAreRefused) {
  EXPECT_THAT(Chain().Depthwise("still", 0).Complains(), HasSubstr("still has the stride 0"));
  EXPECT_EQ(Chain().Depthwise("far", 255).Head().Complains(), "no error");
  EXPECT_THAT(Chain().Depthwise("farther", 256).Complains(),
              HasSubstr("farther has the stride 256, expected 1 to 255"));
  EXPECT_THAT(Chain().Then("large", Chain::Window<op::Depthwise>({19, 19, 2}, 1, Padding())).Complains(),
              HasSubstr("large has a window of 19 x 19, larger than its map of 12 x 18"));
}

TEST(FoldGraph, AGateScalesTheMapThatItIsMadeOf) {
  const auto squeezed = [] {
    return Chain()
        .Depthwise("d", 1)
        .Then("pool", op::Average(), {1})
        .Pointwise("gate")
        .Then("a", op::Activate{Activation::kHardSigmoid});
  };
  for (const std::vector<int>& order : {std::vector{1, 4}, std::vector{4, 1}}) {
    const Network network = squeezed().Then("times", op::Multiply(), order).Head().Build();
    const Layer& scale = network.layers[4];
    EXPECT_EQ(scale.kind, LayerKind::kScale);
    EXPECT_EQ(scale.inputs, (std::vector{1, 3}));
    EXPECT_EQ(network.layers[3].kind, LayerKind::kFullyConnected);
  }
  EXPECT_THAT(
      Chain().Depthwise("d", 1).Then("times", op::Multiply(), {0, 1}).Complains(),
      HasSubstr("multiplies a map of 12 x 18 x 2 with one of 12 x 18 x 2, expected one number for each"));
}

TEST(FoldGraph, TheHeadIsAnAverageAndClassifiers) {
  const Network network = Chain()
                              .Depthwise("d", 1)
                              .Then("pool", op::Average{12, 18, 12, 18})
                              .Then("flat", op::Reshape{{-1}})
                              .Then("drop", op::Identity())
                              .Then("hidden", op::Dense{Tensor::Of({2, 2}, std::vector<float>(4)), {}})
                              .Pointwise("last")
                              .Then("s", op::Softmax())
                              .Then("flat2", op::Reshape{{2}})
                              .Build();
  ASSERT_EQ(network.layers.size(), 5U);
  EXPECT_EQ(network.layers[3].kind, LayerKind::kFullyConnected);
  EXPECT_EQ(network.layers[4].kind, LayerKind::kFullyConnected);
  EXPECT_EQ(network.layers[4].name, "last");

  EXPECT_THAT(Chain().Then("small", op::Average{3, 3, 1, 1}).Complains(),
              HasSubstr("small averages over 3 x 3 pixels, expected the whole map of 12 x 18"));
  EXPECT_THAT(Chain().Then("many", op::Average{12, 18, 1, 1, true}).Complains(),
              HasSubstr("many averages around every 1 x 1 pixels"));
  EXPECT_THAT(Chain().Then("pool", op::Average()).Depthwise("late", 1).Complains(),
              HasSubstr("late comes after the average"));
  EXPECT_THAT(Chain().Then("pool", op::Average()).Then("pool2", op::Average()).Complains(),
              HasSubstr("pool2 comes after the average"));
  EXPECT_THAT(Chain().Then("flat", op::Dense{Tensor::Of({2, 2}, std::vector<float>(4)), {}}).Complains(),
              HasSubstr("flat classifies a map that was not averaged"));
  EXPECT_THAT(Chain().Then("flat", op::Reshape{{-1}}).Complains(),
              HasSubstr("flat makes [-1] of a map of 12 x 18 x 2"));
  EXPECT_THAT(Chain().Then("pool", op::Average()).Then("two", op::Reshape{{1, 3}}).Complains(),
              HasSubstr("two makes [1, 3] of a map of 1 x 1 x 2"));
  EXPECT_THAT(Chain().Then("early", op::Softmax()).Complains(),
              HasSubstr("early is a softmax in the network's midst"));
  EXPECT_THAT(Chain().Head().Then("mid", op::Softmax()).Pointwise("after").Complains(),
              HasSubstr("mid is a softmax in the network's midst"));
  EXPECT_THAT(Chain().Pointwise("p").Then("z", op::Zeros{{1, 1, 1, 1}}).Complains(),
              HasSubstr("z puts zeros around the output"));
}

TEST(FoldGraph, ANetworkMayEndWithItsAverageOrBeforeIt) {
  const Model averaged = Chain().Pointwise("p").Then("pool", op::Average()).Load();
  EXPECT_EQ(averaged.network.layers.back().kind, LayerKind::kGlobalAveragePool);
  EXPECT_EQ(averaged.network.layers.back().name, "pool");
  EXPECT_EQ(averaged.classes(), 0);
  EXPECT_FALSE(averaged.provenance.contains("average"));
  EXPECT_FALSE(averaged.provenance.contains("answers"));
  const Model map = Chain().Pointwise("pool").Load();
  EXPECT_EQ(map.network.layers.back().kind, LayerKind::kGlobalAveragePool);
  EXPECT_EQ(map.provenance.at("average"), "added: the file's network ends with a map of 12 x 18 x 2");
  CheckNetwork(map.network);

  // Versions are recognised without their classifiers, too.
  for (const Network& network : {V1({.alpha = 0.25, .classes = 0}), V2({.alpha = 0.35, .classes = 0}),
                                 V1({.alpha = 0.25, .classes = 0, .shallow = true})}) {
    Graph graph = GraphOf(network);
    EXPECT_EQ(ToModel(graph).network.layers, network.layers);
    EXPECT_EQ(ToModel(graph).network.recipe, network.recipe);
    graph.nodes.pop_back();  // the average
    --graph.output;
    EXPECT_EQ(ToModel(graph).network.recipe, network.recipe);
    EXPECT_THAT(ToModel(graph).provenance.at("average"), HasSubstr("ends with a map of 7 x 7"));
  }
}

TEST(FoldGraph, WhatStandsAtTheEndSaysWhatTheAnswersMean) {
  const auto one = op::Dense{Tensor::Of({2, 1}, {1, 2}), {}};
  EXPECT_EQ(Chain().Head().Load().answers, Answers::kSoftmax) << "logits, as most are";
  EXPECT_EQ(Chain().Head().Then("s", op::Softmax()).Load().answers, Answers::kSoftmax);
  const Model labels = Chain().Head().Then("s", op::Sigmoid()).Then("flat", op::Reshape{{2}}).Load();
  EXPECT_EQ(labels.answers, Answers::kSigmoid);
  EXPECT_EQ(labels.classes(), 2);
  EXPECT_FALSE(labels.provenance.contains("answers"));
  const Model logit = Chain().Head().Then("one", one).Load();
  EXPECT_EQ(logit.answers, Answers::kSigmoid);
  EXPECT_EQ(logit.classes(), 2);
  EXPECT_THAT(logit.provenance.at("answers"), HasSubstr("assumed: one output without an activation"));
  const Model said = Chain().Head().Then("one", one).Then("s", op::Sigmoid()).Load();
  EXPECT_EQ(said.answers, Answers::kSigmoid);
  EXPECT_FALSE(said.provenance.contains("answers"));
  EXPECT_EQ(Chain().Head().Then("one", one).Then("s", op::Softmax()).Load().classes(), 1);

  EXPECT_THAT(Chain().Then("early", op::Sigmoid()).Complains(),
              HasSubstr("early is a sigmoid in the network's midst"));
  EXPECT_THAT(Chain().Head().Then("mid", op::Sigmoid()).Then("late", one).Complains(),
              HasSubstr("mid is a sigmoid in the network's midst"));
  EXPECT_THAT(Chain().Head().Then("mid", op::Sigmoid()).Then("s", op::Softmax()).Complains(),
              HasSubstr("mid is a sigmoid in the network's midst"));
}

// Where the map is one pixel without an average, a 1 x 1 convolution is one like all others.
TEST(FoldGraph, OnlyBehindTheAverageIsAPointwiseConvolutionAClassifier) {
  const Network network = V1({.alpha = 0.1, .resolution = 32, .classes = 2});
  EXPECT_EQ(network.layers[26].input, (Shape{1, 1, 102}));
  EXPECT_EQ(ToModel(GraphOf(network)).network.layers, network.layers);
}

TEST(FoldGraph, WhatDoesNotLeadToTheOutputIsLeftAway) {
  Graph graph = GraphOf(V1({.alpha = 0.1, .resolution = 32, .classes = 2}));
  const int output = graph.output;
  graph.Append({"the layer aside", "test", "aside", {3}, op::Softmax()});
  graph.output = output;
  EXPECT_EQ(VersionOf(ToModel(graph).network), "v1");
}

TEST(FoldGraph, CustomLayersGetNamesOfTheirOwn) {
  Network network = OddNetwork();
  Graph graph = GraphOf(network);
  for (Node& node : graph.nodes) node.name = "twin";
  graph.nodes[0].name = "bad\xFF";
  graph.nodes[2].name = "";
  const Model model = ToModel(graph);
  CheckNetwork(model.network);
  EXPECT_EQ(model.network.layers[0].name, "layer1");
  EXPECT_EQ(model.network.layers[1].name, "layer2");
  EXPECT_EQ(model.network.layers[2].name, "twin");
  EXPECT_EQ(model.network.layers[3].name, "twin_4");
  EXPECT_TRUE(model.weights.contains("twin_5.weight"));
}

}  // namespace
}  // namespace mobilenet

// The filters beside Pillow's, OpenCV's and TensorFlow's, by values that these made of samples::Noise.
#include <cmath>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/image.h"

namespace mobilenet {
namespace {

using samples::Noise;

// FNV-1a of Pillow 11.3's Image.resize((out_width, out_height), filter, box).
struct PillowCase {
  int width, height, channels;
  int out_width, out_height;
  ResizeFilter filter;
  Box box;
  std::uint64_t hash;
};

const PillowCase kPillow[] = {
    {7, 5, 3, 7, 5, ResizeFilter::kLanczos, {0, 0, 7, 5}, 0x52ad82d234b582b5},
    {7, 5, 3, 7, 5, ResizeFilter::kBox, {0, 0, 7, 5}, 0x52ad82d234b582b5},
    {7, 5, 3, 7, 5, ResizeFilter::kNearest, {0, 0, 7, 5}, 0x52ad82d234b582b5},
    {7, 5, 3, 14, 15, ResizeFilter::kLanczos, {0, 0, 7, 5}, 0x9cc09db9de28670b},
    {7, 5, 3, 14, 15, ResizeFilter::kBox, {0, 0, 7, 5}, 0xb954128bd06ee6c9},
    {7, 5, 3, 14, 15, ResizeFilter::kNearest, {0, 0, 7, 5}, 0xb954128bd06ee6c9},
    {37, 23, 3, 11, 13, ResizeFilter::kLanczos, {0, 0, 37, 23}, 0x905ffdc554b15128},
    {37, 23, 3, 11, 13, ResizeFilter::kBox, {0, 0, 37, 23}, 0x02367c9bd4b86c9c},
    {37, 23, 3, 11, 13, ResizeFilter::kNearest, {0, 0, 37, 23}, 0x6fa8afb7e7c28425},
    {37, 23, 1, 11, 13, ResizeFilter::kLanczos, {0, 0, 37, 23}, 0x12506a88d1cd86fd},
    {37, 23, 1, 11, 13, ResizeFilter::kBox, {0, 0, 37, 23}, 0x9844e321b0471316},
    {37, 23, 1, 11, 13, ResizeFilter::kNearest, {0, 0, 37, 23}, 0x84985b4b227c1379},
    {1, 9, 1, 4, 2, ResizeFilter::kLanczos, {0, 0, 1, 9}, 0xdfdef0a56d974709},
    {1, 9, 1, 4, 2, ResizeFilter::kBox, {0, 0, 1, 9}, 0x089422ad8c6f4e65},
    {1, 9, 1, 4, 2, ResizeFilter::kNearest, {0, 0, 1, 9}, 0x25ffdc5b37371d05},
    {101, 67, 3, 1, 1, ResizeFilter::kLanczos, {0, 0, 101, 67}, 0x2d38371adf5c1884},
    {101, 67, 3, 1, 1, ResizeFilter::kBox, {0, 0, 101, 67}, 0x2d38371adf5c1884},
    {101, 67, 3, 1, 1, ResizeFilter::kNearest, {0, 0, 101, 67}, 0x203eb41a46e1f7c7},
    {100, 75, 3, 32, 32, ResizeFilter::kLanczos, {6.25, 4.6875, 93.75, 70.3125}, 0x5ec7aae8dc34b79e},
    {100, 75, 3, 32, 32, ResizeFilter::kBox, {6.25, 4.6875, 93.75, 70.3125}, 0x50f662d8f3d166a9},
    {100, 75, 3, 32, 32, ResizeFilter::kNearest, {6.25, 4.6875, 93.75, 70.3125}, 0x6936b8cb2285c7c3},
    {53, 41, 3, 29, 31, ResizeFilter::kLanczos, {0.1, 0.2, 52.9, 40.7}, 0x6bb8988e852981c3},
    {53, 41, 3, 29, 31, ResizeFilter::kBox, {0.1, 0.2, 52.9, 40.7}, 0x5e214343a212c307},
    {53, 41, 3, 29, 31, ResizeFilter::kNearest, {0.1, 0.2, 52.9, 40.7}, 0x0a86b4d4a4cf2f43},
    {53, 41, 3, 96, 80, ResizeFilter::kLanczos, {10.3, 7.7, 20.1, 15.6}, 0x15baade4eb2acb86},
    {53, 41, 3, 96, 80, ResizeFilter::kBox, {10.3, 7.7, 20.1, 15.6}, 0x8a04ce116e7ba398},
    {53, 41, 3, 96, 80, ResizeFilter::kNearest, {10.3, 7.7, 20.1, 15.6}, 0x8a04ce116e7ba398},
    {500, 375, 3, 224, 224, ResizeFilter::kLanczos, {31.25, 23.4375, 468.75, 351.5625}, 0x88beab6d62b2a812},
    {500, 375, 3, 224, 224, ResizeFilter::kBox, {31.25, 23.4375, 468.75, 351.5625}, 0xd620e8743cac7692},
    {500, 375, 3, 224, 224, ResizeFilter::kNearest, {31.25, 23.4375, 468.75, 351.5625}, 0xc6d6c8f1e23e7a5c},
    {64, 64, 3, 8, 8, ResizeFilter::kLanczos, {0.015625, 0, 63.984375, 64}, 0x6021b0810c8d6d1b},
    {64, 64, 3, 8, 8, ResizeFilter::kBox, {0.015625, 0, 63.984375, 64}, 0x8ef82ae03cd78265},
    {64, 64, 3, 8, 8, ResizeFilter::kNearest, {0.015625, 0, 63.984375, 64}, 0xbf9ba43162cd5e94},
    {90, 60, 3, 27, 22, ResizeFilter::kLanczos, {0, 0, 90, 60}, 0x59422c19a20506dc},
    {90, 60, 3, 27, 22, ResizeFilter::kBox, {0, 0, 90, 60}, 0xa1cf1968581a3f9b},
    {90, 60, 3, 27, 22, ResizeFilter::kNearest, {0, 0, 90, 60}, 0x83d5ba0924cdb107},
    {64, 48, 3, 32, 24, ResizeFilter::kLanczos, {0, 0, 64, 48}, 0x17ee994f1eb2e670},
    {64, 48, 3, 32, 24, ResizeFilter::kBox, {0, 0, 64, 48}, 0x53869cd29580d18e},
    {64, 48, 3, 32, 24, ResizeFilter::kNearest, {0, 0, 64, 48}, 0xc311304770f3da7a},
};

std::uint64_t Fnv1a(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

TEST(ResizePeers, PillowsFiltersToTheBit) {
  for (const PillowCase& c : kPillow) {
    const Image image = Noise(c.width, c.height, c.channels);
    EXPECT_EQ(Fnv1a(Resize(image, c.out_width, c.out_height, c.filter, c.box).pixels), c.hash)
        << c.width << " x " << c.height << " x " << c.channels << " to " << c.out_width << " x "
        << c.out_height << ", " << NameOf(c.filter);
  }
}

// Of a colour picture, the whole of it: OpenCV 5.0's cv2.resize(INTER_AREA), and TensorFlow 2.21's
// tf.image.resize, bilinear and nearest, rounded.
struct WholeCase {
  int width, height;
  int out_width, out_height;
  ResizeFilter filter;
  std::vector<std::uint8_t> values;
};

const std::vector<WholeCase>& WholeCases() {
  static const std::vector<WholeCase> cases = {
      {11, 7, 4, 3, ResizeFilter::kArea, {148, 95,  64,  130, 155, 133, 119, 128, 75,  135, 159, 109,
                                          111, 185, 156, 114, 147, 135, 137, 90,  163, 115, 153, 134,
                                          155, 118, 141, 161, 101, 155, 162, 137, 105, 116, 119, 149}},
      {8, 6, 4, 3, ResizeFilter::kArea, {137, 126, 140, 163, 128, 74,  180, 43,  84,  119, 174, 84,
                                         142, 103, 138, 122, 133, 125, 76,  110, 161, 67,  131, 107,
                                         146, 101, 76,  160, 154, 104, 161, 158, 161, 133, 113, 80}},
      {5,
       4,
       9,
       7,
       ResizeFilter::kArea,
       {37,  161, 204, 41,  149, 180, 59,  101, 84,  57,  71,  100, 55,  27,  125, 162, 98,  85,  234,
        146, 59,  148, 80,  35,  126, 63,  29,  47,  125, 171, 46,  118, 161, 44,  92,  125, 53,  88,
        136, 68,  83,  153, 133, 110, 121, 177, 127, 100, 153, 96,  74,  147, 89,  68,  75,  16,  71,
        60,  25,  106, 0,   63,  247, 42,  139, 242, 105, 252, 235, 44,  143, 227, 4,   71,  221, 170,
        146, 191, 211, 165, 183, 89,  19,  90,  74,  42,  113, 13,  139, 203, 40,  148, 175, 82,  162,
        132, 48,  157, 175, 26,  154, 204, 137, 180, 183, 165, 187, 178, 103, 21,  109, 88,  60,  119,
        26,  214, 159, 39,  157, 107, 59,  72,  29,  52,  170, 124, 48,  236, 187, 105, 214, 175, 119,
        208, 172, 173, 14,  164, 154, 55,  164, 78,  222, 167, 115, 191, 140, 172, 146, 100, 173, 138,
        141, 174, 133, 170, 177, 190, 125, 178, 205, 114, 196, 11,  182, 176, 54,  179, 95,  224, 169,
        141, 203, 151, 210, 171, 123, 214, 127, 148, 216, 98,  164, 201, 183, 108, 197, 204, 94}},
      {23, 17, 7, 5, ResizeFilter::kArea, {104, 145, 97,  120, 115, 116, 90,  182, 114, 135, 149, 108,
                                           136, 110, 144, 108, 104, 88,  141, 101, 87,  109, 132, 96,
                                           129, 115, 142, 124, 110, 136, 143, 112, 118, 135, 112, 125,
                                           155, 141, 122, 113, 128, 141, 109, 180, 105, 75,  131, 152,
                                           138, 128, 109, 118, 149, 105, 124, 117, 139, 122, 104, 161,
                                           107, 119, 162, 109, 108, 125, 156, 152, 111, 132, 159, 104,
                                           105, 158, 139, 125, 136, 126, 137, 142, 132, 89,  145, 115,
                                           98,  116, 145, 139, 131, 138, 151, 133, 124, 117, 127, 117,
                                           150, 113, 134, 131, 126, 129, 131, 119, 104}},
      {11, 7, 4, 3, ResizeFilter::kBilinearUnaliased, {167, 76,  35,  128, 129, 155, 113, 115, 51,
                                                       168, 165, 118, 158, 240, 206, 90,  146, 97,
                                                       103, 52,  188, 52,  204, 119, 179, 79,  197,
                                                       175, 88,  185, 170, 135, 89,  169, 156, 127}},
      {11, 7, 4, 3, ResizeFilter::kNearest, {230, 99,  29,  139, 1,  200, 138, 49,  24,  243, 183, 108,
                                             160, 242, 218, 39,  83, 32,  150, 55,  223, 28,  201, 130,
                                             209, 28,  179, 201, 95, 241, 161, 153, 140, 203, 186, 100}},
      {8, 6, 4, 3, ResizeFilter::kBilinearUnaliased, {137, 126, 140, 163, 128, 74,  180, 42,  84,
                                                      118, 174, 84,  142, 103, 138, 122, 133, 125,
                                                      76,  110, 160, 66,  130, 107, 146, 101, 76,
                                                      160, 154, 104, 161, 158, 161, 132, 113, 80}},
      {8, 6, 4, 3, ResizeFilter::kNearest, {221, 170, 179, 238, 27,  30,  174, 35,  176, 36,  46,  191,
                                            250, 174, 201, 190, 105, 183, 88,  28,  253, 119, 139, 81,
                                            111, 40,  155, 76,  180, 66,  242, 242, 94,  76,  203, 81}},
      {5,
       4,
       9,
       7,
       ResizeFilter::kBilinearUnaliased,
       {37,  161, 204, 44,  141, 164, 57,  108, 97,  57,  68,  102, 55,  27,  125, 154, 93,  88,  222,
        137, 56,  162, 91,  39,  126, 63,  29,  51,  109, 156, 46,  102, 152, 39,  90,  144, 53,  96,
        152, 73,  107, 164, 117, 114, 138, 152, 117, 113, 155, 106, 95,  156, 99,  84,  72,  26,  80,
        50,  39,  132, 12,  61,  218, 47,  141, 232, 101, 236, 227, 56,  147, 217, 41,  85,  205, 143,
        131, 184, 205, 158, 172, 89,  18,  90,  64,  59,  128, 21,  125, 190, 44,  149, 171, 82,  162,
        132, 51,  157, 172, 41,  157, 201, 119, 176, 186, 165, 186, 178, 110, 20,  114, 83,  85,  129,
        40,  193, 155, 48,  154, 105, 70,  79,  36,  64,  161, 119, 67,  224, 183, 103, 214, 173, 125,
        208, 166, 163, 15,  156, 132, 83,  159, 81,  198, 164, 108, 183, 132, 156, 136, 89,  156, 142,
        135, 157, 154, 167, 165, 186, 139, 169, 205, 122, 196, 11,  182, 162, 82,  178, 106, 200, 170,
        146, 200, 149, 210, 171, 123, 213, 130, 146, 214, 110, 156, 203, 169, 117, 197, 204, 94}},
      {23,
       17,
       7,
       5,
       ResizeFilter::kBilinearUnaliased,
       {165, 163, 57,  106, 136, 119, 76,  215, 74,  93,  210, 186, 119, 110, 187, 53,  57,  130,
        69,  169, 131, 95,  164, 62,  93,  111, 155, 50,  122, 128, 138, 112, 136, 116, 113, 114,
        142, 158, 123, 127, 115, 180, 141, 230, 44,  71,  146, 119, 124, 82,  25,  85,  111, 79,
        93,  100, 161, 158, 142, 195, 154, 159, 205, 129, 131, 133, 195, 127, 112, 133, 133, 76,
        58,  136, 163, 81,  141, 93,  176, 171, 196, 75,  198, 113, 199, 202, 200, 79,  119, 165,
        211, 178, 123, 79,  144, 146, 144, 176, 176, 107, 159, 206, 186, 55,  81}},
      {23, 17, 7, 5, ResizeFilter::kNearest, {174, 147, 57,  100, 218, 154, 67,  232, 63,  84,  231, 220,
                                              105, 106, 248, 5,   2,   177, 43,  194, 108, 82,  216, 108,
                                              124, 177, 223, 8,   77,  140, 136, 161, 148, 67,  84,  5,
                                              221, 163, 59,  224, 27,  131, 145, 230, 44,  91,  163, 55,
                                              145, 110, 9,   85,  111, 79,  92,  102, 134, 223, 79,  188,
                                              168, 167, 205, 183, 132, 84,  225, 5,   112, 158, 156, 66,
                                              64,  216, 205, 53,  169, 80,  46,  166, 196, 46,  203, 61,
                                              251, 233, 196, 61,  87,  141, 231, 197, 154, 45,  141, 158,
                                              90,  218, 223, 115, 188, 183, 198, 7,   75}},
  };
  return cases;
}

TEST(ResizePeers, OpenCvsAreaAndTensorFlowsBilinearToAUnit) {
  for (const WholeCase& c : WholeCases()) {
    SCOPED_TRACE(testing::Message() << c.width << " x " << c.height << " to " << c.out_width << " x "
                                    << c.out_height << ", " << NameOf(c.filter));
    const Box whole = {0, 0, static_cast<double>(c.width), static_cast<double>(c.height)};
    const Image resized = Resize(Noise(c.width, c.height, 3), c.out_width, c.out_height, c.filter, whole);
    ASSERT_EQ(resized.pixels.size(), c.values.size());
    const int most = c.filter == ResizeFilter::kNearest ? 0 : 1;
    for (std::size_t i = 0; i < c.values.size(); ++i)
      ASSERT_LE(std::abs(resized.pixels[i] - c.values[i]), most) << "at " << i;
  }
}

// What lies beyond the box is seen by filters that reach there, and by no others.
TEST(ResizePeers, APartOfThePicture) {
  const Image image = {.width = 6, .height = 1, .channels = 1, .pixels = {0, 10, 20, 30, 40, 250}};
  const auto part = [&](ResizeFilter filter, double left, double right) {
    return Resize(image, 2, 1, filter, {left, 0, right, 1}).pixels;
  };
  EXPECT_THAT(part(ResizeFilter::kNearest, 1, 5), testing::ElementsAre(20, 40));
  EXPECT_THAT(part(ResizeFilter::kBilinearUnaliased, 1, 5), testing::ElementsAre(15, 35));
  EXPECT_THAT(part(ResizeFilter::kArea, 1, 5), testing::ElementsAre(15, 35));
  EXPECT_THAT(part(ResizeFilter::kArea, 1.5, 4.5), testing::ElementsAre(17, 33));  // 10 / 3 + 20 * 2 / 3
  EXPECT_THAT(part(ResizeFilter::kBilinearUnaliased, 4, 5), testing::ElementsAre(38, 93));
}

}  // namespace
}  // namespace mobilenet

#include "base/energy_meter.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using testing::DoubleNear;
using testing::Optional;

// Files as the kernel shows them below /sys/class/powercap.
class EnergyMeterTest : public testing::Test {
 protected:
  void Zone(const std::string& zone, const std::string& name, const std::string& energy,
            const std::string& range = "1000000") {
    const auto folder = directory_.path() / zone;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "name") << name << "\n";
    std::ofstream(folder / "energy_uj") << energy << "\n";
    std::ofstream(folder / "max_energy_range_uj") << range << "\n";
  }

  TemporaryDirectory directory_;
};

TEST_F(EnergyMeterTest, SumsThePackages) {
  Zone("intel-rapl:0", "package-0", "5000");
  Zone("intel-rapl:1", "package-1", "100");
  EnergyMeter meter(directory_.path());
  ASSERT_TRUE(meter.available());
  meter.Start();
  Zone("intel-rapl:0", "package-0", "7500");
  Zone("intel-rapl:1", "package-1", "400");
  EXPECT_THAT(meter.Stop(), Optional(DoubleNear(2.8, 1e-9)));
}

TEST_F(EnergyMeterTest, CountsNothingTwice) {
  Zone("intel-rapl:0", "package-0", "0");
  Zone("intel-rapl:0:0", "core", "0");
  Zone("intel-rapl:1", "psys", "0");
  Zone("dtpm", "dtpm", "0");
  EnergyMeter meter(directory_.path());
  meter.Start();
  Zone("intel-rapl:0", "package-0", "1000");
  Zone("intel-rapl:0:0", "core", "900");
  Zone("intel-rapl:1", "psys", "3000");
  EXPECT_THAT(meter.Stop(), Optional(DoubleNear(1, 1e-9)));
}

TEST_F(EnergyMeterTest, FollowsACounterThatStartsAgain) {
  Zone("intel-rapl:0", "package-0", "999500");
  EnergyMeter meter(directory_.path());
  meter.Start();
  Zone("intel-rapl:0", "package-0", "499");
  EXPECT_THAT(meter.Stop(), Optional(DoubleNear(1, 1e-9)));
}

TEST_F(EnergyMeterTest, SaysWhenItCannotMeasure) {
  EXPECT_FALSE(EnergyMeter(directory_.path() / "missing").available());
  Zone("intel-rapl:0", "package-0", "not a number");
  EnergyMeter broken(directory_.path());
  EXPECT_FALSE(broken.available());
  broken.Start();
  EXPECT_EQ(broken.Stop(), std::nullopt);

  Zone("intel-rapl:0", "package-0", "5");
  EnergyMeter lost(directory_.path());
  EXPECT_EQ(lost.Stop(), std::nullopt);  // never started
  lost.Start();
  std::filesystem::remove(directory_.path() / "intel-rapl:0" / "energy_uj");
  EXPECT_EQ(lost.Stop(), std::nullopt);
}

TEST(EnergyShareTest, IsTheEnergyOfAllByTheWorkOfAll) {
  EnergyShare share;
  EXPECT_EQ(share.Each(), std::nullopt);
  share.Add(6, 0.25);
  share.Add(0, 0.125);
  share.Add(9, 0.375);
  EXPECT_THAT(share.Each(), Optional(DoubleNear(20, 1e-9)));
  share.Add(std::nullopt, 1);
  share.Add(6, 2);
  EXPECT_EQ(share.Each(), std::nullopt) << "a stretch was not measured";
}

}  // namespace
}  // namespace mobilenet

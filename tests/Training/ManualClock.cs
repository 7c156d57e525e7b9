namespace Ldvc.Tests.Training;

/// <summary>A clock that moves when told to.</summary>
internal sealed class ManualClock : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddSeconds(1_700_000_000);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.UtcTicks;

    public void Advance(double seconds) => _now = _now.AddSeconds(seconds);
}

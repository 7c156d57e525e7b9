using Ldvc.Distributed;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>How processes agree: on failures, on stopping, on what must be the same.</summary>
public sealed class JobTests
{
    [Fact]
    public void WhatOneProcessFailsWithAllThrow()
    {
        Assert.Equal("rank 2: broken", Ranks.Refuse(3, job => job.Together(() => Fail(job.Group.Rank == 2, "broken"))));
        Assert.Equal("rank 1: broken 1", Ranks.Refuse(3, job => job.Together(() => Fail(job.Group.Rank > 0, $"broken {job.Group.Rank}"))));
        Assert.Equal("wrong everywhere", Ranks.Refuse(3, job => job.Together(() => Fail(true, "wrong everywhere"))));
        Assert.Equal("rank 0: the disk is full", Ranks.Refuse(2, job => job.OnFirst(() => Fail(true, "the disk is full"))));
        Assert.Equal("rank 0: no such file", Ranks.Refuse(2, job => job.FromFirst(() => throw new InputException("no such file"))));
    }

    [Fact]
    public void AFailureIsKeptUntilTheProcessesMeet()
    {
        Ranks.Run(2, job =>
        {
            // The first failure counts, and after it the job can go on agreeing.
            job.Hold(() => Fail(job.Group.Rank == 1, "first"));
            job.Hold(() => Fail(job.Group.Rank == 1, "second"));
            Assert.Equal("rank 1: first", Assert.Throws<InputException>(job.Settle).Message);
            job.Settle();
            return 0;
        });
        Assert.Equal(
            "at once",
            Assert.Throws<InputException>(() => JobMember.Alone(TestContext.Current.CancellationToken).Hold(() => Fail(true, "at once"))).Message);
    }

    [Fact]
    public void AProcessThatFailedGivesBackWhatTheOthersMade()
    {
        int[] left = Ranks.Run(2, job =>
        {
            using var device = new CpuDevice(1);
            Assert.Throws<InputException>(() => job.Together(() => job.IsFirst ? device.Zeros(new Shape(4)) : throw new InputException("none")));
            return (int)device.Pool.LiveBlocks;
        });
        Assert.Equal([0, 0], left);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\u00e4 b")]
    public void WhatTheFirstProcessFindsAllHave(string? found) =>
        Assert.Equal([found, found, found], Ranks.Run(3, job => job.FromFirst(() => job.IsFirst ? found : throw new InvalidOperationException())));

    [Fact]
    public void DifferencesAreNamed()
    {
        string Compare(Func<JobMember, (string, string)[]> facts) => Ranks.Refuse(3, job => job.RequireAlike(facts(job)));
        Assert.Equal(
            "rank 2: train.lr is 0.1, but on rank 0 it is 0.2; expected the same on all 3 processes.",
            Compare(
                job => [("train.batch", "12"), ("train.lr", job.Group.Rank == 2 ? "0.1" : "0.2"), ("train.seed", job.Group.Rank == 2 ? "1" : "0")]));
        Assert.Equal(
            "rank 1: its list of options is another one than on rank 0; expected the same on all 3 processes.",
            Compare(job => [.. Enumerable.Range(0, job.Group.Rank + 1).Select(i => ($"option {i}", "1"))]));
        Ranks.Run(3, job =>
        {
            job.RequireAlike([("train.lr", "0.1")]);
            return 0;
        });
    }

    [Fact]
    public void SharedWorkEndsWhenAllHaveDoneTheirs()
    {
        int done = 0;
        int[] seen = Ranks.Run(3, job =>
        {
            SharedWork.Run(job, _ =>
            {
                Thread.Sleep(60 * job.Group.Rank);
                Interlocked.Increment(ref done);
            });
            return Volatile.Read(ref done);
        });
        Assert.Equal([3, 3, 3], seen);
    }

    [Fact]
    public void SharedWorkOfAllStopsWhenOneFails()
    {
        Assert.Equal("rank 1: broken", Ranks.Refuse(3, job => SharedWork.Run(job, stop =>
        {
            if (job.Group.Rank == 1)
            {
                throw new InputException("broken");
            }

            Assert.True(stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)));
            stop.ThrowIfCancellationRequested();
        })));
    }

    [Fact]
    public void SharedWorkOfAllStopsWhenOneIsToldTo()
    {
        using var stop = new CancellationTokenSource();
        bool[] stopped = Ranks.Run(
            3,
            job =>
            {
                Assert.Throws<JobStoppedException>(() => SharedWork.Run(job, token =>
                {
                    if (job.Group.Rank == 2)
                    {
                        stop.Cancel();
                        return;
                    }

                    Assert.True(token.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)));
                    token.ThrowIfCancellationRequested();
                }));
                return job.MustStop;
            },
            [default, default, stop.Token]);
        Assert.Equal([true, true, true], stopped);
    }

    private static int Fail(bool fails, string message) => fails ? throw new InputException(message) : 0;
}

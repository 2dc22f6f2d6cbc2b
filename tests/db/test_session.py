import threading
import time

from goldvein.db.session import FairLock


def test_the_lock_goes_to_whoever_has_waited_longest() -> None:
    lock, order = FairLock(), []
    assert lock.acquire(1)

    def wait(name: int) -> None:
        assert lock.acquire(10)
        order.append(name)
        lock.release()

    threads = []
    for name in range(5):
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()
        while len(lock._waiting) <= name:
            time.sleep(0.001)
    assert not lock.acquire(0.01)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert lock.acquire(0.01)

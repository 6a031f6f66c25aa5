"""`python -m dasheng.train CONFIG`."""

from dasheng.train.train import main

if __name__ == "__main__":
    main()
